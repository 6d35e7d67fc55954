/*
 * handshake_messages.c: words the notices and failures of a handshake, and finds their causes.
 */
#include "upload/espota/handshake_messages.h"

#include "base/error.h"
#include "base/text.h"
#include "image/image_fit.h"
#include "upload/espota/absence.h"
#include "upload/reason.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void handshake_count_gibberish(struct gibberish *gibberish, const char *text)
{
    if (gibberish->count++ == 0)
        snprintf(gibberish->first, sizeof gibberish->first, "%s", text);
}

const char *handshake_quote_first(char quoted[HANDSHAKE_QUOTED_MAX],
                                  const struct gibberish *gibberish)
{
    *quoted = '\0';
    if (*gibberish->first)
        snprintf(quoted, HANDSHAKE_QUOTED_MAX, ", at first \"%s\"", gibberish->first);
    return quoted;
}

void handshake_fell_silent(struct ota_failure *failure, const char *address, unsigned invitations,
                           int64_t limit_us)
{
    ota_fail(failure, OTA_E_NO_ANSWER,
             "%s answered at first, but not the last %u invitation%s, in %.3g s", address,
             invitations, invitations == 1 ? "" : "s", (double)limit_us / 1e6);
}

void handshake_has_gone(struct ota_failure *failure, const char *address)
{
    ota_fail(failure, OTA_E_NO_ANSWER, "%s answered at first, but nothing listens there any more",
             address);
}

void handshake_no_verdict_on_answer(struct ota_failure *failure, const char *address,
                                    int64_t limit_us, const struct gibberish *gibberish)
{
    char quoted[HANDSHAKE_QUOTED_MAX];

    ota_fail(failure, OTA_E_NO_ANSWER,
             "%s sent a challenge, but neither accepted nor rejected the answer in %.3g s%s%s",
             address, (double)limit_us / 1e6,
             gibberish->count ? "; nothing that it said was understood" : "",
             handshake_quote_first(quoted, gibberish));
}

const char *handshake_weak_auth_notice(void)
{
    return "the board asks for an answer with MD5, from which a weak password can be guessed (see "
           "--min-auth)";
}

bool handshake_is_downgrade(const struct session_config *config, const struct address *board)
{
    return config->trust->asked == TRUST_SHA256 || address_set_has(config->sha256_addresses, board);
}

void handshake_weak_auth(struct ota_failure *failure, const struct session_config *config,
                         const struct address *board)
{
    char address[ADDRESS_TEXT_MAX];

    if (config->trust->asked != TRUST_SHA256 && handshake_is_downgrade(config, board))
        ota_fail(failure, OTA_E_DOWNGRADE,
                 "%s asked for an answer with SHA-256 at another port and now asks for one with "
                 "MD5, which would give the password away; it gets none (two boards that share an "
                 "address are updated in two runs)",
                 address_text(address, board));
    else
        trust_allows(config->trust, TRUST_MD5, false, failure);
}

void handshake_not_asked(struct ota_failure *failure, const char *address)
{
    ota_fail(
        failure, OTA_E_NOT_ASKED,
        "the board announces that it asks for a password, but %s accepted the upload without one: "
        "it is not the announced board, or runs another sketch (--force sends the image anyway)",
        address);
}

const char *handshake_not_asked_notice(char message[OTA_MESSAGE_MAX],
                                       const struct session_config *config)
{
    snprintf(message, OTA_MESSAGE_MAX, "the board did not ask for the password that was given%s%s",
             config->announces_password
                 ? ", although it announces that it does"
                 : ": its sketch sets none, so anybody in its network can update it",
             config->announces_password ? image_fit_override(true) : "");
    return message;
}

void handshake_asks_no_longer(struct ota_failure *failure, const char *address)
{
    ota_fail(
        failure, OTA_E_DOWNGRADE,
        "%s asked for a password, or rejected one, has accepted no answer since, and now says OK "
        "without one; it gets no image",
        address);
}

void handshake_took_ok_back(struct ota_failure *failure, const char *address, unsigned times)
{
    ota_fail(
        failure, OTA_E_WRONG_PASSWORD,
        "%s said OK and then asked for the password again, or rejected it (%u time%s); it gets no "
        "image",
        address, times, times == 1 ? "" : "s");
}

const char *handshake_early_notice(char message[OTA_MESSAGE_MAX],
                                   const struct session_config *config, const struct address *peer,
                                   bool was_invited)
{
    char text[ADDRESS_TEXT_MAX + 8];
    const char *why = "it came before the board had accepted the upload";

    if (!was_invited)
        why = "that address has not been invited";
    else if (config->trust->door == TRUST_SHUT)
        why = "it came before the board had a right answer to its challenge";

    snprintf(message, OTA_MESSAGE_MAX, "closed a connection from %s, which got nothing: %s",
             address_text_port(text, peer), why);
    return message;
}

enum given { NOTHING, AN_ADDRESS, AN_INTERFACE }; /* the argument of -I */

/* Why a datagram cannot leave this computer, by errno. */
static const struct unsendable {
    int reason;
    enum given needs; /* NOTHING: with or without -I */
    enum ota_error error;
    enum ota_cause cause;
    const char *why; /* NULL: absence_network_error() is enough, or way_describe() says it */
} unsendables[] = {
    {ENETUNREACH, AN_INTERFACE, OTA_E_LOCAL, OTA_CAUSE_WRONG_SOURCE,
     "the interface of -I does not lead there"},
    {EINVAL, AN_INTERFACE, OTA_E_LOCAL, OTA_CAUSE_WRONG_SOURCE,
     "the interface of -I does not lead there"},
    {ENETUNREACH, NOTHING, OTA_E_UNREACHABLE, OTA_CAUSE_NO_ROUTE, "there is no route to it"},
    {EHOSTUNREACH, NOTHING, OTA_E_UNREACHABLE, OTA_CAUSE_NONE, NULL},
    {ENETDOWN, NOTHING, OTA_E_UNREACHABLE, OTA_CAUSE_NO_ROUTE, NULL},
    {EADDRNOTAVAIL, NOTHING, OTA_E_UNREACHABLE, OTA_CAUSE_NO_ROUTE, NULL},
    {EPERM, NOTHING, OTA_E_LOCAL, OTA_CAUSE_FIREWALL, "this computer's firewall forbids it"},
    {EINVAL, AN_ADDRESS, OTA_E_LOCAL, OTA_CAUSE_WRONG_SOURCE,
     "the address of -I does not lead there"},
    {EAFNOSUPPORT, AN_ADDRESS, OTA_E_LOCAL, OTA_CAUSE_WRONG_SOURCE,
     "the address of -I does not lead there"},
    {EACCES, NOTHING, OTA_E_LOCAL, OTA_CAUSE_NO_WAY_OUT, NULL},
    {EINVAL, NOTHING, OTA_E_LOCAL, OTA_CAUSE_NO_WAY_OUT, NULL},
};

/* Returns NULL if the errno is not in the table. */
static const struct unsendable *find_unsendable(const struct session_config *config, int reason)
{
    const struct source *source = config->source;
    const enum given given = source_is_any(source) ? NOTHING
                             : source->has_address ? AN_ADDRESS
                                                   : AN_INTERFACE;

    for (size_t i = 0; i < sizeof unsendables / sizeof *unsendables; i++) {
        const struct unsendable *row = &unsendables[i];

        if (row->reason == reason && (row->needs == NOTHING || row->needs == given))
            return row;
    }
    return NULL;
}

bool handshake_is_local(const struct session_config *config, int reason)
{
    const struct unsendable *row = find_unsendable(config, reason);

    return row && row->error == OTA_E_LOCAL;
}

void handshake_cannot_send(struct ota_failure *failure, const struct session_config *config,
                           const struct address *board, int reason)
{
    const struct unsendable *row = find_unsendable(config, reason);
    char address[ADDRESS_TEXT_MAX + 8];

    address_text_port(address, board);

    if (!row) {
        ota_fail_errno(failure, OTA_E_INTERNAL, reason, "cannot send to %s: %s", address,
                       strerror(reason));
        return;
    }

    if (row->why)
        ota_fail(failure, row->error, "cannot send to %s: %s (%s)", address, row->why,
                 strerror(reason));
    else
        ota_fail(failure, row->error, "cannot send to %s: %s", address,
                 absence_network_error(board, reason));
    failure->cause = row->cause;
}

void handshake_no_connection(struct ota_failure *failure, const struct session_config *config,
                             const struct address *local, bool is_elsewhere, int64_t start_us)
{
    char text[ADDRESS_TEXT_MAX] = "this host";
    char other[ADDRESS_TEXT_MAX];
    const struct address *stranger = listener_stranger(config->listener, start_us);
    const struct address *board = listener_board(config->listener, start_us);
    int trouble = listener_trouble(config->listener);

    if (local)
        address_text(text, local);

    if (trouble) {
        ota_fail_errno(
            failure, OTA_E_INTERNAL, trouble,
            "the board accepted %zu bytes, but its connection to %s, TCP port %u, could not be "
            "accepted: %s",
            config->image->size, text, listener_port(config->listener), strerror(trouble));
        return;
    }
    if (stranger) {
        ota_fail(
            failure, OTA_E_NO_CONNECTION,
            "the board accepted %zu bytes, but did not connect to %s, TCP port %u; a connection "
            "from %s was rejected",
            config->image->size, text, listener_port(config->listener),
            address_text(other, stranger));
        failure->cause = OTA_CAUSE_OTHER_ADDRESS;
        return;
    }

    ota_fail(failure, OTA_E_NO_CONNECTION,
             "the board accepted %zu bytes, but did not connect to %s, TCP port %u",
             config->image->size, text, listener_port(config->listener));
    if (board)
        text_append(failure->message, sizeof failure->message,
                    "; a connection came from %s, which is another board of this run; if this "
                    "board has that address, too, give --peer %s",
                    address_text(other, board), other);
    if (is_elsewhere)
        failure->cause = OTA_CAUSE_OTHER_NETWORK;
}

static const char *describe_tried_schemes(const struct session_config *config,
                                          enum auth_scheme scheme)
{
    if (scheme == AUTH_MD5)
        return "MD5 scheme";
    if (config->md5_target)
        return "SHA-256 scheme; only the MD5 hash of it was tried, as -m says";
    return "SHA-256 scheme; its SHA-256 and its MD5 hash were tried";
}

void handshake_wrong_password(struct ota_failure *failure, const struct session_config *config,
                              enum auth_scheme scheme)
{
    ota_fail(failure, OTA_E_WRONG_PASSWORD, "the board rejected the password (%s)",
             describe_tried_schemes(config, scheme));
    failure->cause = OTA_CAUSE_PASSWORD_REJECTED;
}

/* The size of the image, which the board's message does not state. */
static const char *describe_size(char *text, size_t capacity, const struct image *image)
{
    uint32_t flash_size = image->inspection.flash_size;

    snprintf(text, capacity, "; the image has %zu bytes", image->size);
    if (image->family == IMAGE_ESP8266 && flash_size)
        text_append(text, capacity, ", and was built for a flash of %" PRIu32 " KiB",
                    flash_size / 1024);
    return text;
}

void handshake_refused(struct ota_failure *failure, const struct session_config *config,
                       const struct reply *reply)
{
    char size[128];
    enum ota_cause cause = reason_cause(reply->text);

    ota_fail(failure, OTA_E_REFUSED, "the board refused: %s%s",
             *reply->text ? reply->text : "(it gave no reason)",
             cause == OTA_CAUSE_NO_SPACE ? describe_size(size, sizeof size, config->image) : "");
    failure->cause = cause;
}
