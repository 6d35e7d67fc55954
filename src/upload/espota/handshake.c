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
 * States are rows of a table. Each has a deadline, so no handshake can hang, and a failure names
 * its phase. There is one connected UDP socket for each endpoint where the board may listen
 * (candidates.c). Once the board has replied, only the socket of its endpoint is used.
 *
 * Resending is dangerous. An invitation that reaches a board waiting for an answer is swallowed and
 * makes the board idle, so its last challenge can no longer be answered. A sketch whose loop()
 * blocks for seconds leaves our datagrams in a queue. An ESP32 reads one of them per turn of
 * loop(), so the queue grows if datagrams are resent faster. Hence:
 *
 * - After the first reply, one datagram at a time is in flight. It is resent only after the time
 *   that this board is known to need (pace.c).
 * - A challenge is not answered while a later invitation may be unread. The exception is a prompt
 *   challenge: the other invitations were probably lost.
 * - A new invitation waits until the board must have read its queue (DRAIN).
 * - A rejection counts only if no other challenge can have been in flight.
 *
 * An answer may be sent twice: a board that is not waiting for one ignores it.
 *
 * A connection is accepted only if the board can have said OK before it (trust.c). An OK is valid
 * until the board asks again, or rejects an answer. A board that still waits for an answer would
 * swallow the next invitation of any host. The end of a handshake therefore makes it forget its
 * challenge.
 *
 * This file has the states with their replies and deadlines. handshake_invite.c sends invitations,
 * handshake_answer.c answers challenges, and handshake_messages.c has the texts of failures.
 * Notices are emitted as events.
 */
#include "upload/espota/handshake_internal.h"

#include "base/diag.h"
#include "base/loop.h"
#include "base/units.h"
#include "upload/trust.h"
#include "upload/way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNTIMELY_OKS_MAX = 2 };

static const int64_t CONNECT_US = SECONDS(10);

struct state_row {
    enum ota_phase phase;
    void (*on_reply)(struct handshake *handshake, const struct reply *reply);
    void (*on_resend)(struct handshake *handshake);
    void (*on_deadline)(struct handshake *handshake);
};
static const struct state_row states[STATE_COUNT];

/* -- time, events, ends -- */

static void arm_handshake_timer(struct handshake *handshake)
{
    int64_t next_us = handshake->deadline_us;

    if (handshake->resend_us && handshake->resend_us < next_us)
        next_us = handshake->resend_us;

    loop_timer_start(&handshake->timer, next_us - loop_now_us());
}

void handshake_enter(struct handshake *handshake, enum state state, int64_t limit_us)
{
    handshake->state = state;
    handshake->deadline_us = loop_now_us() + limit_us;
    handshake->resend_us = 0;
    arm_handshake_timer(handshake);
}

void handshake_resend_after(struct handshake *handshake, int64_t delay_us)
{
    handshake->resend_us = greater_us(1, loop_now_us() + delay_us);
    arm_handshake_timer(handshake);
}

void handshake_log_sent(const struct handshake *handshake, const char *text)
{
    const struct candidates *candidates = &handshake->candidates;
    const struct address board = endpoints_get(candidates->endpoints, candidates->current);
    struct address local;
    char from[WAY_LOCAL_MAX] = "";

    if (!diag_enabled(DIAG_LEVEL_DEBUG))
        return;
    if (candidates_local(candidates, candidates->current, &local))
        way_describe_local(from, &board, &local, candidates->source);
    diag_debug("%s: sent from %s to %s: %s", handshake->config->board, from,
               handshake->board_address, text);
}

void handshake_emit(struct handshake *handshake, struct ota_event event)
{
    event.phase = states[handshake->state].phase;
    event.total = handshake->config->image->size;
    handshake->callbacks.on_event(&event, handshake->callbacks.userdata);
}

void handshake_note_event(struct handshake *handshake, enum notice notice, struct ota_event event)
{
    if (*handshake->config->notices & notice)
        return;

    *handshake->config->notices |= notice;
    event.type = OTA_EVENT_NOTE;
    handshake_emit(handshake, event);
}

void handshake_note(struct handshake *handshake, enum notice notice, const char *message)
{
    handshake_note_event(handshake, notice, (struct ota_event){.message = message});
}

void handshake_warn(struct handshake *handshake, enum notice notice, const char *message)
{
    handshake_note_event(handshake, notice,
                         (struct ota_event){.message = message, .is_important = true});
}

/* An answer without its two values makes a waiting board of any family idle. A board that is not
 * waiting ignores it. */
static void release_board(struct handshake *handshake)
{
    static const char no_answer[] = "200\n";
    struct candidates *candidates = &handshake->candidates;
    bool is_open = candidates->list[candidates->current].udp.fd >= 0;

    if (handshake->is_left_waiting && is_open &&
        candidates_send(candidates, no_answer, sizeof no_answer - 1) == 0) {
        handshake_log_sent(handshake,
                           "200 without an answer, so that the board drops its challenge");
    }
    handshake->is_left_waiting = false;
}

void handshake_finish(struct handshake *handshake)
{
    release_board(handshake);
    candidates_close(&handshake->candidates);
    handshake->is_done = true;
    handshake->deadline_us = handshake->resend_us = 0;
    arm_handshake_timer(handshake);
}

/* -- replies, by state -- */

static void wait_for_connection(struct handshake *handshake)
{
    int64_t limit_us = handshake->config->accept_timeout_us;

    handshake_enter(handshake, ACCEPT, limit_us > CONNECT_US ? limit_us : CONNECT_US);
}

/* An OK may be late: it then refers to an answer that was given up. An OK without an answer before
 * it is ignored once, as the network may duplicate datagrams. If the board repeats it, the board
 * does not ask again. */
static void on_ok(struct handshake *handshake)
{
    if (handshake->config->trust->door != TRUST_SHUT) {
        if (handshake_on_acceptance(handshake, "reply"))
            wait_for_connection(handshake);
        return;
    }

    diag_debug("%s: ignoring an OK to a challenge that was not answered", handshake->config->board);
    if (++handshake->untimely_oks == UNTIMELY_OKS_MAX) {
        handshake_asks_no_longer(&handshake->failure, handshake->board_address);
        handshake_finish(handshake);
    }
}

static void on_refusal(struct handshake *handshake, const struct reply *reply)
{
    handshake->is_left_waiting = false;
    handshake_refused(&handshake->failure, handshake->config, reply);
    handshake_finish(handshake);
}

/* The board rejects an answer that was given up, perhaps by an earlier run of this program. */
static void on_late_rejection(struct handshake *handshake)
{
    if (handshake->state == INVITE || handshake->state == PASSWORD)
        handshake->is_left_waiting = false;
    trust_rejected(handshake->config->trust);
}

static void on_reply_while_inviting(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type == REPLY_OK)
        on_ok(handshake);
    else if (reply->type == REPLY_CHALLENGE)
        handshake_on_challenge(handshake, reply);
    else if (reply->type == REPLY_ERROR)
        on_refusal(handshake, reply);
    else if (reply->type == REPLY_AUTH_FAILED)
        on_late_rejection(handshake);
}

static void on_reply_while_answering(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type != REPLY_AUTH_FAILED) {
        on_reply_while_inviting(handshake, reply);
        return;
    }
    trust_rejected(handshake->config->trust);
    handshake_on_rejection(handshake);
}

static void on_reply_while_accepting(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type == REPLY_ERROR)
        on_refusal(handshake, reply);
    else if (reply->type != REPLY_OK)
        handshake_on_revocation(handshake, reply);
}

/* -- deadlines -- */

static void end_no_connection(struct handshake *handshake)
{
    const struct candidates *candidates = &handshake->candidates;
    const struct address board = endpoints_get(candidates->endpoints, candidates->current);
    struct address local;
    bool is_known = candidates_local(candidates, candidates->current, &local);

    if (handshake_end_trouble(handshake))
        return;

    handshake_no_connection(&handshake->failure, handshake->config, is_known ? &local : NULL,
                            is_known && way_is_elsewhere(&board, &local), handshake->start_us);
    handshake_finish(handshake);
}

static const struct state_row states[STATE_COUNT] = {
    [INVITE] = {OTA_PHASE_INVITE, on_reply_while_inviting, handshake_resend_invitation,
                handshake_end_no_answer},
    [DRAIN] = {OTA_PHASE_AUTHENTICATE, on_reply_while_inviting, NULL, handshake_invite_drained},
    [PASSWORD] = {OTA_PHASE_AUTHENTICATE, on_reply_while_inviting, NULL, handshake_end_no_password},
    [ANSWER] = {OTA_PHASE_AUTHENTICATE, on_reply_while_inviting, NULL, handshake_give_up_answer},
    [AUTHENTICATE] = {OTA_PHASE_AUTHENTICATE, on_reply_while_answering, handshake_transmit_answer,
                      handshake_give_up_answer},
    [ACCEPT] = {OTA_PHASE_ACCEPT, on_reply_while_accepting, NULL, end_no_connection},
};

static void on_handshake_timer(void *userdata)
{
    struct handshake *handshake = userdata;
    int64_t now_us = loop_now_us();

    if (handshake->is_done)
        handshake->callbacks.on_failed(&handshake->failure, handshake->callbacks.userdata);
    else if (now_us >= handshake->deadline_us)
        states[handshake->state].on_deadline(handshake);
    else if (handshake->resend_us && now_us >= handshake->resend_us)
        states[handshake->state].on_resend(handshake);
    else
        arm_handshake_timer(handshake);
}

/* -- receiving -- */

/* The board has replied from this endpoint, or connected from its address. */
static void settle_endpoint(struct handshake *handshake, size_t endpoint)
{
    const struct address board = endpoints_get(handshake->config->endpoints, endpoint);

    if (handshake->candidates.is_settled)
        return;

    candidates_settle(&handshake->candidates, endpoint);
    address_text_port(handshake->board_address, &board);
    handshake->callbacks.on_endpoint(endpoint, handshake->callbacks.userdata);
}

/* After we have answered a challenge, datagrams may echo that answer in any form: once the board
 * has asked for a password, their text is not shown. */
static void count_gibberish(struct handshake *handshake, size_t length, const struct reply *reply)
{
    const char *text = handshake->config->trust->door == TRUST_UNASKED ? reply->text : "";

    handshake_count_gibberish(&handshake->gibberish, text);
    diag_debug("%s: ignoring a datagram of %zu bytes: %s", handshake->config->board, length,
               *text ? text : "(not shown)");
}

/* The digits of a challenge are not shown, since a later challenge may echo our answer. */
static void log_reply(const struct handshake *handshake, size_t endpoint, const struct reply *reply)
{
    static const char *const words[] = {[REPLY_OK] = "OK",
                                        [REPLY_CHALLENGE] = "AUTH, and a challenge",
                                        [REPLY_AUTH_FAILED] = "Authentication Failed",
                                        [REPLY_ERROR] = "ERR: "};
    const struct address board = endpoints_get(handshake->config->endpoints, endpoint);
    char where[ADDRESS_TEXT_MAX + 8];

    diag_debug("%s: received from %s: %s%s", handshake->config->board,
               address_text_port(where, &board), words[reply->type],
               reply->type == REPLY_ERROR ? reply->text : "");
}

static void on_board_datagram(size_t endpoint, const void *data, size_t length, void *userdata)
{
    struct handshake *handshake = userdata;
    struct reply reply;

    protocol_parse_reply(&reply, data, length);
    if (echo_hear(handshake->config->echo, ECHO_DATAGRAMS, data, length))
        snprintf(reply.text, sizeof reply.text, "%s", ECHO_NOTE);

    if (reply.type == REPLY_GARBAGE) {
        handshake->candidates.list[endpoint].is_foreign = true;
        count_gibberish(handshake, length, &reply);
        return;
    }

    log_reply(handshake, endpoint, &reply);
    settle_endpoint(handshake, endpoint);
    if (handshake->state == INVITE)
        handshake->command = handshake->invited;
    states[handshake->state].on_reply(handshake, &reply);
}

/* -- life -- */

struct handshake *handshake_start(const struct session_config *config,
                                  const struct handshake_callbacks *callbacks)
{
    struct handshake *handshake = calloc(1, sizeof *handshake);
    if (!handshake)
        return NULL;

    handshake->config = config;
    handshake->callbacks = *callbacks;
    handshake->start_us = loop_now_us();
    handshake->command = config->command;
    handshake->candidates = (struct candidates){.loop = config->loop,
                                                .endpoints = config->endpoints,
                                                .source = config->source,
                                                .on_datagram = on_board_datagram,
                                                .on_error = handshake_on_network_error,
                                                .userdata = handshake};
    handshake->answering = (struct work_item){.run = handshake_send_answer, .userdata = handshake};
    handshake->password = config->password;
    handshake->sha256_scheme =
        config->md5_target || config->trust->keeps_md5_hash ? AUTH_SHA256_MD5 : AUTH_SHA256;
    loop_timer_init(&handshake->timer, config->loop, on_handshake_timer, handshake);
    trust_begin_attempt(config->trust);

    if (candidates_open(&handshake->candidates) < 0) {
        candidates_free(&handshake->candidates);
        free(handshake);
        return NULL;
    }
    handshake_invite(handshake, 0);
    return handshake;
}

static bool was_invited(const struct handshake *handshake, const struct address *peer)
{
    const struct session_config *config = handshake->config;

    return config->peer || config->peer_any ||
           candidates_were_invited(&handshake->candidates, peer);
}

/* Whether a board at the address peer may have said OK. */
static bool is_admitted(const struct handshake *handshake, const struct address *peer)
{
    const struct session_config *config = handshake->config;

    if (handshake->is_done || config->trust->door == TRUST_SHUT || !was_invited(handshake, peer))
        return false;
    return handshake->state == ACCEPT || !config->peer_any;
}

/* Datagrams that the board sent before it connected are handled first. Behind a flood of them, the
 * connection is rejected. */
bool handshake_connected(struct handshake *handshake, const struct address *peer)
{
    char message[OTA_MESSAGE_MAX];
    struct trust *trust = handshake->config->trust;

    if (!candidates_receive(&handshake->candidates) || !is_admitted(handshake, peer)) {
        if (!handshake->is_done)
            handshake_warn(handshake, NOTICE_EARLY,
                           handshake_early_notice(message, handshake->config, peer,
                                                  was_invited(handshake, peer)));
        return false;
    }

    settle_endpoint(handshake, candidates_find(&handshake->candidates, peer));
    if (handshake->state != ACCEPT && !handshake_on_acceptance(handshake, "connection"))
        return false;

    handshake->is_accepted = true;
    trust_connected(trust);
    return true;
}

void handshake_free(struct handshake *handshake)
{
    if (!handshake)
        return;

    /* An upload that is interrupted may have an invitation in flight. */
    handshake->is_left_waiting |= handshake->state == INVITE && !handshake->is_done &&
                                  !handshake->is_accepted && handshake->invitations > 0;
    release_board(handshake);
    candidates_free(&handshake->candidates);
    work_queue_remove(handshake->config->work_queue, &handshake->answering);
    loop_timer_stop(&handshake->timer);
    digest_cleanse(handshake->answer, sizeof handshake->answer);
    free(handshake);
}

enum ota_phase handshake_phase(const struct handshake *handshake)
{
    return states[handshake->state].phase;
}
