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
 * phase it happened in. One connected UDP socket (udp.c) serves the whole session.
 *
 * Why there are so few resends: an invitation that reaches a board waiting for an authentication
 * answer is swallowed and drops the board to idle, so that the challenge it has just sent can never
 * be answered. A board whose loop() blocks for up to three seconds reads everything that queued up
 * at once. So an invitation is repeated only after more than three seconds, and after a repeat a
 * failure may be stale: the handshake starts afresh before the password is called wrong.
 *
 * Notices go out as events; nothing here prints but debug lines. The sentences of its ends are in
 * handshake_ends.c.
 */
#include "handshake.h"

#include "error.h"
#include "handshake_ends.h"
#include "log.h"
#include "loop.h"
#include "udp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHALLENGES_MAX = 8,   /* answered in one handshake; more is a board that plays with us */
    FRESH_STARTS_MAX = 2, /* of a handshake that went stale */
};

static const int64_t RESEND_US = 3500 * INT64_C(1000); /* above the slowest loop() seen: 3 s */
static const int64_t REFUSED_RESEND_US =
    500 * INT64_C(1000);                                /* what is refused queues up nowhere */
static const int64_t ANSWER_US = 10 * INT64_C(1000000); /* an ESP32 computes PBKDF2 for up to 2 s */
static const int64_t CONNECT_US = 10 * INT64_C(1000000);
static const int64_t PASSWORD_US = 120 * INT64_C(1000000);

enum state { INVITE, PASSWORD, ANSWER, AUTHENTICATE, ACCEPT, STATE_COUNT };

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

    struct udp udp;
    int network_error; /* errno of the last ICMP report; 0 after any reply */

    unsigned invitations; /* in all */
    struct gibberish gibberish;
    unsigned outstanding;  /* invitations since the handshake last started afresh */
    bool challenged_twice; /* since then: a rejection may be of the answer to the other one */
    unsigned fresh_starts;
    unsigned challenges;
    struct reply challenge;         /* the one that was answered last, or waits for a password */
    enum auth_scheme sha256_scheme; /* AUTH_SHA256, later perhaps AUTH_SHA256_MD5 */
    enum auth_scheme answer_scheme;
    struct errand answering;
    char answer[PROTOCOL_DATAGRAM_MAX];
    size_t answer_length;
    bool answer_resent;
};

struct state_row {
    enum ota_phase phase;
    void (*on_reply)(struct handshake *handshake, const struct reply *reply); /* NULL: ignored */
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

static void resend_after(struct handshake *handshake, int64_t delay_us)
{
    handshake->resend_us = loop_now_us() + delay_us;
    arm(handshake);
}

static void emit(struct handshake *handshake, struct ota_event event)
{
    event.phase = states[handshake->state].phase;
    event.total = handshake->config->image->size;
    handshake->callbacks.on_event(&event, handshake->callbacks.userdata);
}

/* Each notice is given once, even if the upload takes several handshakes. */
static void note(struct handshake *handshake, enum notice notice, const char *message)
{
    if (*handshake->config->notices & notice)
        return;
    *handshake->config->notices |= notice;
    emit(handshake, (struct ota_event){.type = OTA_EVENT_NOTE, .message = message});
}

/* Fails; on_failed follows from the loop, so that nothing on the stack need fear being freed. */
static void finish(struct handshake *handshake)
{
    udp_close(&handshake->udp);
    handshake->done = true;
    handshake->deadline_us = handshake->resend_us = 0;
    arm(handshake);
}

/* Ends the handshake with a failure; describe is fail(), or a function of handshake_ends.h. */
#define END(handshake, describe, ...)                                                              \
    (describe(&(handshake)->failure, __VA_ARGS__), finish(handshake))

/* -- UDP: sending -- */

static void note_network_error(struct handshake *handshake)
{
    struct ota_failure news;
    handshake_news(&news, handshake->board_address, handshake->network_error);
    note(handshake, news.error == OTA_E_NOT_LISTENING ? NOTICE_REFUSED : NOTICE_UNREACHABLE,
         news.message);
}

/* A datagram of ours cannot leave, or ICMP says that it did not arrive. A board that is rebooting
 * refuses too, so it has the rest of its time; and what was refused does not wait in its queue. */
static void take_network_error(int reason, void *userdata)
{
    struct handshake *handshake = userdata;
    handshake->network_error = reason;
    handshake->outstanding = 0;
    if (handshake->state == AUTHENTICATE) {
        resend_after(handshake, 0); /* the board is gone in the middle: afresh */
    } else if (handshake->state == INVITE) {
        resend_after(handshake, REFUSED_RESEND_US);
        note_network_error(handshake);
    }
}

static void send_datagram(struct handshake *handshake, const char *data, size_t length)
{
    int reason = udp_send(&handshake->udp, data, length);
    if (reason)
        take_network_error(reason, handshake);
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
    handshake->challenged_twice = false;
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

/* PBKDF2 takes 5 ms: in a turn of its own, as hundreds of boards may ask at once. */
static void queue_answer(struct handshake *handshake)
{
    enter(handshake, ANSWER, PASSWORD_US, 0);
    errands_add(handshake->config->errands, &handshake->answering);
}

static void send_answer(void *userdata)
{
    struct auth_answer answer;
    struct handshake *handshake = userdata;
    if (handshake->done || handshake->state != ANSWER)
        return;
    handshake->answer_scheme =
        handshake->challenge.scheme == AUTH_MD5 ? AUTH_MD5 : handshake->sha256_scheme;
    if (auth_respond(&answer, handshake->answer_scheme, handshake->password,
                     handshake->challenge.nonce, NULL) < 0) {
        END(handshake, fail, OTA_E_INTERNAL, "cannot answer the board's %s challenge: %s",
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

static void end_password_needed(struct handshake *handshake)
{
    END(handshake, fail, OTA_E_PASSWORD_NEEDED,
        "the board asks for a password, and none was given");
}

static void take_challenge(struct handshake *handshake, const struct reply *challenge)
{
    bool answered_one = handshake->state == AUTHENTICATE || handshake->state == ANSWER;
    if (answered_one && strcmp(challenge->nonce, handshake->challenge.nonce) == 0)
        return; /* a duplicate */
    handshake->challenged_twice |= answered_one;
    handshake->challenge = *challenge;
    if (++handshake->challenges > CHALLENGES_MAX) {
        END(handshake, fail, OTA_E_WRONG_PASSWORD,
            "the board answered %d answers with a new challenge each and accepted none",
            CHALLENGES_MAX);
    } else if (has_password(handshake)) {
        queue_answer(handshake);
    } else if (handshake->callbacks.on_password) {
        enter(handshake, PASSWORD, PASSWORD_US, 0);
        handshake->callbacks.on_password(handshake->callbacks.userdata);
    } else {
        handshake->state = AUTHENTICATE;
        end_password_needed(handshake);
    }
}

void handshake_set_password(struct handshake *handshake, const char *password)
{
    if (handshake->done || handshake->state != PASSWORD)
        return;
    handshake->password = password;
    if (has_password(handshake))
        queue_answer(handshake);
    else
        end_password_needed(handshake);
}

static void announce_authenticated(struct handshake *handshake)
{
    emit(handshake, (struct ota_event){.type = OTA_EVENT_AUTHENTICATED,
                                       .scheme = auth_scheme_name(handshake->answer_scheme)});
    const char *advice = handshake_advice(handshake->config, handshake->answer_scheme);
    if (advice)
        note(handshake, NOTICE_WEAK, advice);
}

static void take_rejection(struct handshake *handshake)
{
    bool doubtful = handshake->outstanding > 1 || handshake->challenged_twice;
    if (doubtful && start_afresh(handshake, "the rejection may be a stale one"))
        return;
    if (handshake->answer_scheme == AUTH_SHA256) {
        /* The board does not announce which hash of the password it stores. */
        log_debug("%s: trying the MD5 hash of the password", handshake->config->board);
        handshake->sha256_scheme = AUTH_SHA256_MD5;
        start_inviting(handshake);
        return;
    }
    END(handshake, handshake_wrong_password, handshake->config, handshake->answer_scheme);
}

/* -- UDP: replies, by state -- */

static void wait_for_connection(struct handshake *handshake)
{
    int64_t limit_us = handshake->config->accept_timeout_us;
    enter(handshake, ACCEPT, limit_us > CONNECT_US ? limit_us : CONNECT_US, 0);
}

static void reply_to_invitation(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type == REPLY_OK)
        wait_for_connection(handshake);
    else if (reply->type == REPLY_CHALLENGE)
        take_challenge(handshake, reply);
    else if (reply->type == REPLY_ERROR)
        END(handshake, handshake_refused, handshake->config, reply);
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
        END(handshake, handshake_refused, handshake->config, reply);
}

/* -- deadlines, by state -- */

static void resend_invitation(struct handshake *handshake)
{
    if (handshake->outstanding) /* what was refused is not */
        note(handshake, NOTICE_SILENCE, "no answer yet; inviting it again");
    resend_after(handshake, RESEND_US);
    send_invitation(handshake);
}

/* Once, when the challenge must still be valid; otherwise it takes a new invitation. */
static void resend_answer(struct handshake *handshake)
{
    if (!handshake->answer_resent && handshake->outstanding == 1) {
        handshake->answer_resent = true;
        resend_after(handshake, RESEND_US);
        send_datagram(handshake, handshake->answer, handshake->answer_length);
    } else if (!start_afresh(handshake, "no answer to the authentication")) {
        handshake->resend_us = 0;
        arm(handshake);
    }
}

static void end_no_answer(struct handshake *handshake)
{
    END(handshake, handshake_no_answer, handshake->config, handshake->board_address,
        handshake->network_error, handshake->invitations, &handshake->gibberish);
}

static void end_no_verdict_on_answer(struct handshake *handshake)
{
    END(handshake, handshake_no_verdict_on_answer, handshake->board_address, ANSWER_US,
        &handshake->gibberish);
}

static void end_no_password(struct handshake *handshake)
{
    END(handshake, fail, OTA_E_PASSWORD_NEEDED,
        "the board asks for a password, and none was typed in %.3g s", (double)PASSWORD_US / 1e6);
}

static void end_no_connection(struct handshake *handshake)
{
    struct address local;
    bool known = udp_local(&handshake->udp, &local);
    END(handshake, handshake_no_connection, handshake->config, known ? &local : NULL);
}

static const struct state_row states[STATE_COUNT] = {
    [INVITE] = {OTA_PHASE_INVITE, reply_to_invitation, resend_invitation, end_no_answer},
    [PASSWORD] = {OTA_PHASE_AUTHENTICATE, NULL, NULL, end_no_password},
    [ANSWER] = {OTA_PHASE_AUTHENTICATE, reply_to_invitation, NULL, end_no_verdict_on_answer},
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

/* What comes once an answer to a challenge is out may repeat it, and is not shown. */
static void take_gibberish(struct handshake *handshake, size_t length, const struct reply *reply)
{
    const char *text = handshake->answer_length ? "" : reply->text;
    handshake_count_gibberish(&handshake->gibberish, text);
    log_debug("%s: ignoring a datagram of %zu bytes: %s", handshake->config->board, length,
              *text ? text : "(not shown)");
}

static void take_datagram(const void *data, size_t length, void *userdata)
{
    struct handshake *handshake = userdata;
    struct reply reply;
    protocol_parse_reply(&reply, data, length);
    handshake->network_error = 0;
    if (reply.type == REPLY_GARBAGE)
        take_gibberish(handshake, length, &reply);
    else if (states[handshake->state].on_reply)
        states[handshake->state].on_reply(handshake, &reply);
}

/* -- life -- */

static void begin(struct handshake *handshake)
{
    const struct session_config *config = handshake->config;
    if (udp_open(&handshake->udp, config->source, &config->address) == 0)
        start_inviting(handshake);
    else
        END(handshake, handshake_cannot_send, handshake->board_address, errno);
}

struct handshake *handshake_start(const struct session_config *config,
                                  const struct handshake_callbacks *callbacks)
{
    struct handshake *handshake = calloc(1, sizeof *handshake);
    if (!handshake)
        return NULL;
    handshake->config = config;
    handshake->callbacks = *callbacks;
    handshake->udp = (struct udp){.poll_api = config->poll_api,
                                  .on_datagram = take_datagram,
                                  .on_error = take_network_error,
                                  .userdata = handshake,
                                  .descriptor = -1};
    handshake->answering = (struct errand){.run = send_answer, .userdata = handshake};
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
    udp_close(&handshake->udp);
    errands_remove(handshake->config->errands, &handshake->answering);
    handshake->config->poll_api->timeout_free(handshake->timer);
    digest_cleanse(handshake->answer, sizeof handshake->answer);
    free(handshake);
}

enum ota_phase handshake_phase(const struct handshake *handshake)
{
    return states[handshake->state].phase;
}
