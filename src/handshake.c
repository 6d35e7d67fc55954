/*
 * handshake.c: the UDP half of an upload: from the invitation to the board's connection.
 *
 *   host                                        board
 *    |-- UDP  "0 <port> <size> <md5>\n" --------->|   INVITE
 *    |<- UDP  "AUTH <nonce>" --------------------|   only when it has a password
 *    |-- UDP  "200 <cnonce> <response>\n" ------->|   AUTHENTICATE
 *    |<- UDP  "OK" ------------------------------|
 *    |<- TCP  connect to <port> -----------------|   ACCEPT
 *
 * States are rows of a table; each has a deadline, so nothing can hang, and a failure names the
 * phase it happened in. One connected UDP socket serves the whole session: the 8266 family answers
 * the port that the invitation came from, forged datagrams from other addresses never arrive, and
 * an ICMP refusal surfaces as an error of the socket.
 *
 * Why there are so few resends: an invitation that reaches a board waiting for an authentication
 * answer is swallowed and drops the board to idle, so that the challenge it has just sent can never
 * be answered. A board whose loop() blocks for up to three seconds reads everything that queued up
 * at once. So an invitation is repeated only after more than three seconds, and after a repeat a
 * failure may be stale: the handshake starts afresh before the password is called wrong.
 *
 * Notices go out as events; nothing here prints but debug lines.
 */
#include "handshake.h"

#include "error.h"
#include "escape.h"
#include "log.h"
#include "loop.h"
#include "protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DATAGRAMS_PER_TURN = 16, /* a flood must not starve the other boards */
    CHALLENGES_MAX = 8,      /* answered in one handshake; more is a board that plays with us */
    FRESH_STARTS_MAX = 2,    /* of a handshake that went stale */
    ESP32_PORT = 3232,
};

static const int64_t RESEND_US = 3500 * 1000;        /* above the slowest loop() seen: 3 s */
static const int64_t REFUSED_RESEND_US = 500 * 1000; /* nothing listens: nothing queues up either */
static const int64_t ANSWER_US = 10 * 1000000;       /* an ESP32 computes PBKDF2 for up to 2 s */
static const int64_t CONNECT_US = 10 * 1000000;
static const int64_t PASSWORD_US = 120 * 1000000;

enum state { INVITE, PASSWORD, AUTHENTICATE, ACCEPT, STATE_COUNT };

struct handshake {
    const struct session_config *config;
    const char *password;
    struct handshake_callbacks callbacks;
    enum state state;
    bool done; /* state stays what it was: a failure names its phase */
    struct ota_failure failure;
    char board_address[ADDRESS_TEXT_MAX + 8]; /* with port, for messages */

    AvahiTimeout *timer;
    int64_t deadline_us;
    int64_t resend_us; /* 0: nothing to resend */

    int udp;
    AvahiWatch *udp_watch;
    int network_error; /* errno of the last ICMP report; 0 after any reply */

    unsigned invitations; /* in all */
    unsigned outstanding; /* invitations since the handshake last started afresh */
    unsigned fresh_starts;
    unsigned challenges;
    struct reply challenge;         /* the one that was answered last, or waits for a password */
    enum auth_scheme sha256_scheme; /* AUTH_SHA256, later perhaps AUTH_SHA256_MD5 */
    enum auth_scheme answer_scheme;
    char answer[PROTOCOL_DATAGRAM_MAX];
    size_t answer_length;
    bool answer_resent;
};

struct state_row {
    enum ota_phase phase;
    void (*on_reply)(struct handshake *handshake, const struct reply *reply);
    void (*on_resend)(struct handshake *handshake);
    void (*on_deadline)(struct handshake *handshake);
};
static const struct state_row states[STATE_COUNT];

/* -- time, events, ends -- */

static void arm(struct handshake *handshake)
{
    int64_t next_us = handshake->deadline_us;
    if (handshake->resend_us && handshake->resend_us < next_us)
        next_us = handshake->resend_us;
    int64_t delay_us = next_us - loop_now_us();
    loop_arm(handshake->config->poll_api, &handshake->timer, delay_us > 0 ? delay_us : 0, NULL,
             NULL);
}

static void enter(struct handshake *handshake, enum state state, int64_t limit_us,
                  int64_t resend_us)
{
    int64_t now_us = loop_now_us();
    handshake->state = state;
    handshake->deadline_us = now_us + limit_us;
    handshake->resend_us = resend_us ? now_us + resend_us : 0;
    arm(handshake);
}

static void emit(struct handshake *handshake, struct ota_event event)
{
    event.phase = states[handshake->state].phase;
    event.total = handshake->config->image->size;
    handshake->callbacks.on_event(&event, handshake->callbacks.userdata);
}

static void note(struct handshake *handshake, const char *message)
{
    emit(handshake, (struct ota_event){.type = OTA_EVENT_NOTE, .message = message});
}

static void close_udp(struct handshake *handshake)
{
    if (handshake->udp_watch)
        handshake->config->poll_api->watch_free(handshake->udp_watch);
    handshake->udp_watch = NULL;
    if (handshake->udp >= 0)
        close(handshake->udp);
    handshake->udp = -1;
}

/* Fails; on_failed follows from the loop, so that nothing on the stack need fear being freed. */
static void finish(struct handshake *handshake)
{
    close_udp(handshake);
    handshake->done = true;
    handshake->deadline_us = handshake->resend_us = 0;
    arm(handshake);
}

/* Ends the handshake with a failure: fail(), then finish(). */
#define END(handshake, ...) (fail(&(handshake)->failure, __VA_ARGS__), finish(handshake))

/* -- UDP: sending -- */

static void handle_network_error(struct handshake *handshake, int reason);

static void send_datagram(struct handshake *handshake, const char *data, size_t length)
{
    /* An error that is reported here may belong to the datagram before; the second try is ours. */
    for (int try = 0; try < 2; try++) {
        if (send(handshake->udp, data, length, 0) >= 0)
            return;
        if (errno != EAGAIN && errno != ENOBUFS)
            handle_network_error(handshake, errno);
    }
}

static void send_invitation(struct handshake *handshake)
{
    const struct session_config *config = handshake->config;
    char datagram[PROTOCOL_DATAGRAM_MAX];
    size_t length =
        protocol_format_invitation(datagram, config->command, listener_port(config->listener),
                                   config->image->size, config->image->md5);
    handshake->invitations++;
    handshake->outstanding++;
    emit(handshake,
         (struct ota_event){.type = OTA_EVENT_INVITED, .attempt = handshake->invitations});
    send_datagram(handshake, datagram, length);
}

static void start_inviting(struct handshake *handshake)
{
    handshake->outstanding = 0;
    enter(handshake, INVITE, handshake->config->accept_timeout_us, RESEND_US);
    send_invitation(handshake);
}

/* A new invitation and a new challenge, when what is under way may be stale. */
static bool start_afresh(struct handshake *handshake, const char *why)
{
    if (handshake->fresh_starts == FRESH_STARTS_MAX)
        return false;
    handshake->fresh_starts++;
    log_debug("%s: %s: starting the handshake afresh", handshake->config->board, why);
    start_inviting(handshake);
    return true;
}

/* -- authentication -- */

static void send_answer(struct handshake *handshake)
{
    struct auth_answer answer;
    handshake->answer_scheme =
        handshake->challenge.scheme == AUTH_MD5 ? AUTH_MD5 : handshake->sha256_scheme;
    if (auth_respond(&answer, handshake->answer_scheme, handshake->password,
                     handshake->challenge.nonce, NULL) < 0) {
        END(handshake, OTA_E_INTERNAL, "cannot answer the board's %s challenge: %s",
            auth_scheme_name(handshake->answer_scheme), digest_error());
        return;
    }
    handshake->answer_length = protocol_format_answer(handshake->answer, &answer);
    digest_cleanse(&answer, sizeof answer);
    handshake->answer_resent = false;
    enter(handshake, AUTHENTICATE, ANSWER_US, RESEND_US);
    send_datagram(handshake, handshake->answer, handshake->answer_length);
}

static bool has_password(const struct handshake *handshake)
{
    return handshake->password && *handshake->password;
}

static void take_challenge(struct handshake *handshake, const struct reply *challenge)
{
    if (handshake->state == AUTHENTICATE &&
        strcmp(challenge->nonce, handshake->challenge.nonce) == 0)
        return; /* a duplicate of the one that was answered */
    handshake->challenge = *challenge;
    if (++handshake->challenges > CHALLENGES_MAX) {
        END(handshake, OTA_E_WRONG_PASSWORD,
            "the board answered %d answers with a new challenge each and accepted none",
            CHALLENGES_MAX);
    } else if (has_password(handshake)) {
        send_answer(handshake);
    } else if (handshake->callbacks.on_password) {
        enter(handshake, PASSWORD, PASSWORD_US, 0);
        handshake->callbacks.on_password(handshake->callbacks.userdata);
    } else {
        handshake->state = AUTHENTICATE;
        END(handshake, OTA_E_PASSWORD_NEEDED, "the board asks for a password, and none was given");
    }
}

void handshake_set_password(struct handshake *handshake, const char *password)
{
    if (handshake->done || handshake->state != PASSWORD)
        return;
    handshake->password = password;
    if (has_password(handshake))
        send_answer(handshake);
    else
        END(handshake, OTA_E_PASSWORD_NEEDED, "the board asks for a password, and none was given");
}

static void announce_authenticated(struct handshake *handshake)
{
    emit(handshake, (struct ota_event){.type = OTA_EVENT_AUTHENTICATED,
                                       .scheme = auth_scheme_name(handshake->answer_scheme)});
    bool esp32 = address_port(&handshake->config->address) == ESP32_PORT ||
                 handshake->config->image->family == IMAGE_ESP32;
    if (esp32 && handshake->answer_scheme == AUTH_MD5)
        note(handshake,
             "this ESP32 authenticates with MD5, which is weak: a sketch built with core "
             "3.3.1 or later uses SHA-256");
}

static const char *describe_tried_schemes(const struct handshake *handshake)
{
    if (handshake->answer_scheme == AUTH_MD5)
        return "MD5 scheme";
    if (handshake->config->md5_target)
        return "SHA-256 scheme; only the MD5 hash of it was tried, as -m says";
    return "SHA-256 scheme; its SHA-256 and its MD5 hash were tried";
}

static void take_rejection(struct handshake *handshake)
{
    if (handshake->outstanding > 1 && start_afresh(handshake, "the rejection may be a stale one"))
        return;
    if (handshake->answer_scheme == AUTH_SHA256) {
        /* The board does not announce which hash of the password it stores. */
        log_debug("%s: trying the MD5 hash of the password", handshake->config->board);
        handshake->sha256_scheme = AUTH_SHA256_MD5;
        start_inviting(handshake);
        return;
    }
    END(handshake, OTA_E_WRONG_PASSWORD, "the board rejected the password (%s)",
        describe_tried_schemes(handshake));
}

/* -- UDP: replies, by state -- */

static void wait_for_connection(struct handshake *handshake)
{
    int64_t limit_us = handshake->config->accept_timeout_us;
    enter(handshake, ACCEPT, limit_us > CONNECT_US ? limit_us : CONNECT_US, 0);
}

static void end_refused(struct handshake *handshake, const struct reply *reply)
{
    END(handshake, OTA_E_REFUSED, "the board refused: %s",
        *reply->text ? reply->text : "(it gave no reason)");
}

static void reply_to_invitation(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type == REPLY_OK)
        wait_for_connection(handshake);
    else if (reply->type == REPLY_CHALLENGE)
        take_challenge(handshake, reply);
    else if (reply->type == REPLY_ERROR)
        end_refused(handshake, reply);
    /* "Authentication Failed" here belongs to an answer that was given up. */
}

static void reply_to_answer(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type == REPLY_AUTH_FAILED) {
        take_rejection(handshake);
    } else if (reply->type == REPLY_OK) {
        announce_authenticated(handshake);
        wait_for_connection(handshake);
    } else {
        reply_to_invitation(handshake, reply);
    }
}

static void reply_while_accepting(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type == REPLY_ERROR)
        end_refused(handshake, reply);
}

static void ignore_reply(struct handshake *handshake, const struct reply *reply)
{
    (void)handshake;
    (void)reply;
}

/* -- deadlines, by state -- */

static void resend_invitation(struct handshake *handshake)
{
    handshake->resend_us = loop_now_us() + RESEND_US;
    send_invitation(handshake);
    arm(handshake);
}

static void resend_answer(struct handshake *handshake)
{
    handshake->resend_us = loop_now_us() + RESEND_US;
    if (!handshake->answer_resent && handshake->outstanding == 1) {
        handshake->answer_resent = true;
        send_datagram(handshake, handshake->answer, handshake->answer_length);
    } else if (start_afresh(handshake, "no answer to the authentication")) {
        return;
    } else {
        handshake->resend_us = 0;
    }
    arm(handshake);
}

static void end_no_answer(struct handshake *handshake)
{
    const char *address = handshake->board_address;
    const char *source = handshake->config->port_source;
    if (handshake->network_error == ECONNREFUSED)
        END(handshake, OTA_E_NOT_LISTENING, "nothing listens at %s (port: %s)", address, source);
    else if (handshake->network_error)
        END(handshake, OTA_E_UNREACHABLE, "%s cannot be reached: %s", address,
            strerror(handshake->network_error));
    else
        END(handshake, OTA_E_NO_ANSWER, "no answer from %s (port: %s) to %u invitation%s in %.3g s",
            address, source, handshake->outstanding, handshake->outstanding == 1 ? "" : "s",
            (double)handshake->config->accept_timeout_us / 1e6);
}

static void end_no_verdict_on_answer(struct handshake *handshake)
{
    END(handshake, OTA_E_NO_ANSWER,
        "%s sent a challenge, but neither accepted nor rejected the answer in %.3g s",
        handshake->board_address, (double)ANSWER_US / 1e6);
}

static void end_no_password(struct handshake *handshake)
{
    END(handshake, OTA_E_PASSWORD_NEEDED,
        "the board asks for a password, and none was typed in %.3g s", (double)PASSWORD_US / 1e6);
}

static void end_no_connection(struct handshake *handshake)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    struct address local;
    char text[ADDRESS_TEXT_MAX + 8] = "this host";
    if (getsockname(handshake->udp, (struct sockaddr *)&storage, &length) == 0 &&
        address_from(&local, (struct sockaddr *)&storage, length))
        address_text(text, &local);
    END(handshake, OTA_E_NO_CONNECTION,
        "the board accepted %zu bytes, but did not connect to %s, TCP port %u",
        handshake->config->image->size, text, listener_port(handshake->config->listener));
}

static const struct state_row states[STATE_COUNT] = {
    [INVITE] = {OTA_PHASE_INVITE, reply_to_invitation, resend_invitation, end_no_answer},
    [PASSWORD] = {OTA_PHASE_AUTHENTICATE, ignore_reply, NULL, end_no_password},
    [AUTHENTICATE] = {OTA_PHASE_AUTHENTICATE, reply_to_answer, resend_answer,
                      end_no_verdict_on_answer},
    [ACCEPT] = {OTA_PHASE_ACCEPT, reply_while_accepting, NULL, end_no_connection},
};

static void on_timer(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    struct handshake *handshake = userdata;
    int64_t now_us = loop_now_us();
    if (handshake->done)
        handshake->callbacks.on_failed(&handshake->failure, handshake->callbacks.userdata);
    else if (now_us >= handshake->deadline_us)
        states[handshake->state].on_deadline(handshake);
    else if (handshake->resend_us && now_us >= handshake->resend_us)
        states[handshake->state].on_resend(handshake);
    else
        arm(handshake);
}

/* -- UDP: receiving -- */

/* ICMP said something about a datagram of ours. A board that is rebooting refuses too, so it has
 * the rest of its time; and what was refused does not wait in its queue. */
static void handle_network_error(struct handshake *handshake, int reason)
{
    bool news = handshake->network_error != reason;
    char message[OTA_MESSAGE_MAX];
    handshake->network_error = reason;
    handshake->outstanding = 0;
    if (handshake->state == AUTHENTICATE) {
        start_afresh(handshake, "the board is gone in the middle of the handshake");
        return;
    }
    if (handshake->state != INVITE)
        return;
    handshake->resend_us = loop_now_us() + REFUSED_RESEND_US;
    arm(handshake);
    if (!news)
        return;
    snprintf(message, sizeof message, "%s%s; going on in case the board is rebooting",
             reason == ECONNREFUSED ? "nothing listens at " : "",
             reason == ECONNREFUSED ? handshake->board_address : strerror(reason));
    note(handshake, message);
}

static void take_datagram(struct handshake *handshake, const void *data, size_t length)
{
    struct reply reply;
    protocol_parse_reply(&reply, data, length);
    handshake->network_error = 0;
    if (reply.type == REPLY_GARBAGE)
        log_debug("%s: ignoring a datagram of %zu bytes: %s", handshake->config->board, length,
                  reply.text);
    else
        states[handshake->state].on_reply(handshake, &reply);
}

static void on_udp(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *userdata)
{
    (void)watch;
    (void)event;
    struct handshake *handshake = userdata;
    for (int i = 0; i < DATAGRAMS_PER_TURN && handshake->udp >= 0; i++) {
        char datagram[1024]; /* the longest that means something has about 200 bytes */
        ssize_t got = recv(fd, datagram, sizeof datagram, 0);
        if (got >= 0) {
            take_datagram(handshake, datagram, (size_t)got);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            handle_network_error(handshake, errno);
        }
    }
}

/* -- life -- */

static int open_udp(struct handshake *handshake)
{
    const struct session_config *config = handshake->config;
    handshake->udp =
        socket(config->address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (handshake->udp < 0)
        return -1;
    if (config->source &&
        bind(handshake->udp, &config->source->any, address_length(config->source)) < 0)
        return -1;
    return connect(handshake->udp, &config->address.any, address_length(&config->address));
}

static void begin(struct handshake *handshake)
{
    const AvahiPoll *poll_api = handshake->config->poll_api;
    if (open_udp(handshake) < 0) {
        int reason = errno;
        bool no_route = reason == ENETUNREACH || reason == EHOSTUNREACH || reason == ENETDOWN;
        END(handshake, no_route ? OTA_E_UNREACHABLE : OTA_E_INTERNAL, "cannot send to %s: %s",
            handshake->board_address, strerror(reason));
        return;
    }
    handshake->udp_watch =
        poll_api->watch_new(poll_api, handshake->udp, AVAHI_WATCH_IN, on_udp, handshake);
    if (handshake->udp_watch)
        start_inviting(handshake);
    else
        END(handshake, OTA_E_INTERNAL, "out of memory");
}

struct handshake *handshake_start(const struct session_config *config,
                                  const struct handshake_callbacks *callbacks)
{
    struct handshake *handshake = calloc(1, sizeof *handshake);
    if (!handshake)
        return NULL;
    handshake->config = config;
    handshake->callbacks = *callbacks;
    handshake->udp = -1;
    handshake->password = config->password;
    handshake->sha256_scheme = config->md5_target ? AUTH_SHA256_MD5 : AUTH_SHA256;
    address_text_port(handshake->board_address, &config->address);
    if (loop_arm(config->poll_api, &handshake->timer, 0, on_timer, handshake) < 0) {
        free(handshake);
        return NULL;
    }
    begin(handshake);
    return handshake;
}

void handshake_connected(struct handshake *handshake)
{
    if (handshake->state == AUTHENTICATE)
        announce_authenticated(handshake);
}

void handshake_free(struct handshake *handshake)
{
    if (!handshake)
        return;
    close_udp(handshake);
    handshake->config->poll_api->timeout_free(handshake->timer);
    digest_cleanse(handshake->answer, sizeof handshake->answer);
    free(handshake);
}

enum ota_phase handshake_phase(const struct handshake *handshake)
{
    return states[handshake->state].phase;
}
