/*
 * handshake_ends.c: the sentences for the ways in which a handshake fails. Prints debug lines only.
 */
#include "handshake_ends.h"

#include "error.h"
#include "log.h"

#include <errno.h>
#include <string.h>

void handshake_take_gibberish(struct gibberish *gibberish, const struct session_config *config,
                              const struct reply *reply, size_t length)
{
    log_debug("%s: ignoring a datagram of %zu bytes: %s", config->board, length, reply->text);
    if (gibberish->count++ > 0)
        return;
    /* Cut where no UTF-8 sequence is; an escape may be cut. */
    size_t shown = strnlen(reply->text, sizeof gibberish->first - 1);
    while (shown > 0 && ((unsigned char)reply->text[shown] & 0xC0) == 0x80)
        shown--;
    memcpy(gibberish->first, reply->text, shown);
    gibberish->first[shown] = '\0';
}

void handshake_no_answer(struct ota_failure *failure, const struct session_config *config,
                         const char *address, int network_error, unsigned invitations,
                         const struct gibberish *gibberish)
{
    const char *source = config->port_source, *plural = invitations == 1 ? "" : "s";
    double seconds = (double)config->accept_timeout_us / 1e6;
    if (network_error == ECONNREFUSED)
        fail(failure, OTA_E_NOT_LISTENING, "nothing listens at %s (port: %s)", address, source);
    else if (network_error)
        fail(failure, OTA_E_UNREACHABLE, "%s cannot be reached: %s", address,
             strerror(network_error));
    else if (gibberish->count)
        fail(failure, OTA_E_NO_ANSWER,
             "what answers at %s (port: %s) is no ArduinoOTA service: to %u invitation%s in %.3g s "
             "it said nothing that is understood, at first \"%s\"",
             address, source, invitations, plural, seconds, gibberish->first);
    else
        fail(failure, OTA_E_NO_ANSWER, "no answer from %s (port: %s) to %u invitation%s in %.3g s",
             address, source, invitations, plural, seconds);
}

void handshake_news(struct ota_failure *news, const char *address, int network_error)
{
    bool refused = network_error == ECONNREFUSED;
    fail(news, refused ? OTA_E_NOT_LISTENING : OTA_E_UNREACHABLE,
         "%s%s; going on in case the board is rebooting", refused ? "nothing listens at " : "",
         refused ? address : strerror(network_error));
}

void handshake_cannot_send(struct ota_failure *failure, const char *address, int reason)
{
    bool no_route = reason == ENETUNREACH || reason == EHOSTUNREACH || reason == ENETDOWN ||
                    reason == EADDRNOTAVAIL; /* no address of the board's IP version */
    fail(failure, no_route ? OTA_E_UNREACHABLE : OTA_E_INTERNAL, "cannot send to %s: %s", address,
         strerror(reason));
}

void handshake_no_connection(struct ota_failure *failure, const struct session_config *config,
                             const struct address *local)
{
    char text[ADDRESS_TEXT_MAX] = "this host";
    if (local)
        address_text(text, local);
    fail(failure, OTA_E_NO_CONNECTION,
         "the board accepted %zu bytes, but did not connect to %s, TCP port %u",
         config->image->size, text, listener_port(config->listener));
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
    fail(failure, OTA_E_WRONG_PASSWORD, "the board rejected the password (%s)",
         describe_tried_schemes(config, scheme));
}

void handshake_refused(struct ota_failure *failure, const struct reply *reply)
{
    fail(failure, OTA_E_REFUSED, "the board refused: %s",
         *reply->text ? reply->text : "(it gave no reason)");
}
