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
 * phase it happened in. One connected UDP socket for each endpoint where the board may listen
 * (candidates.c); from its first word on, the one of the endpoint that it is at.
 *
 * Resending is dangerous: an invitation that reaches a board waiting for an answer is swallowed and
 * drops it to idle, so that the challenge it has just sent can never be answered. And a sketch
 * whose loop() blocks for seconds leaves our datagrams in a queue, from which an ESP32 takes one in
 * each turn: faster resends never drain. Hence:
 *
 * - Once the board was heard, one datagram of ours is on its way, and it is sent again only when
 *   the board has had the time that it is known to need (pace.c).
 * - A challenge is not answered while an invitation that was sent after it may be unread, unless it
 *   came so promptly that the others were probably lost.
 * - A new invitation waits until the board must have read what may still be queued (DRAIN).
 * - A rejection counts where no other challenge can have been on its way.
 *
 * An answer may be sent twice: a board that is not waiting for one ignores it.
 *
 * The board may connect where it can have said OK (trust.c), and on no account before. One that is
 * left alone with its challenge would swallow the next invitation, whoever sends it, so each end
 * that leaves it so tells it to forget the challenge.
 *
 * Notices go out as events; nothing here prints but debug lines. The sentences of its ends are in
 * handshake_ends.c.
 */
#include "handshake.h"

#include "absence.h"
#include "candidates.h"
#include "error.h"
#include "handshake_ends.h"
#include "log.h"
#include "loop.h"
#include "networks.h"
#include "pace.h"
#include "round.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHALLENGES_MAX = 8,       /* taken in one handshake; more is a board that plays with us */
    FRESH_STARTS_MAX = 3,     /* of a handshake that went stale */
    DOUBTFUL_ANSWERS_MAX = 3, /* to a challenge that may be void */
};

static const int64_t REFUSED_RESEND_US =
    500 * INT64_C(1000);                               /* what is refused queues up nowhere */
static const int64_t ANSWER_US = 7 * INT64_C(1000000); /* at least, for a verdict on an answer */
static const int64_t CONNECT_US = 10 * INT64_C(1000000);
static const int64_t TYPING_US = 500 * INT64_C(1000); /* a program answers sooner, a person later */
static const int64_t PASSWORD_US = 120 * INT64_C(1000000);

enum state { INVITE, DRAIN, PASSWORD, ANSWER, AUTHENTICATE, ACCEPT, STATE_COUNT };

struct handshake {
    const struct session_config *config;
    const char *password;
    struct handshake_callbacks callbacks;
    enum state state;
    bool done; /* state stays what it was: a failure names its phase */
    struct ota_failure failure;
    char board_address[ADDRESS_TEXT_MAX + 8]; /* the current candidate's, with port, for messages */

    AvahiTimeout *timer;
    int64_t deadline_us;
    int64_t resend_us; /* 0: nothing to resend */

    struct candidates candidates;
    int64_t start_us;

    unsigned invitations; /* in all */
    unsigned challenges;  /* in all */
    unsigned fresh_starts;
    struct round round;
    struct pace pace;
    struct gibberish gibberish;
    struct reply challenge;         /* the last one */
    int64_t challenged_us;          /* when the last one came that was answered */
    bool is_left_waiting;           /* the board may wait for an answer to it */
    bool is_accepted;               /* the board has connected */
    enum auth_scheme sha256_scheme; /* AUTH_SHA256, later perhaps AUTH_SHA256_MD5 */
    bool is_hash_open;              /* nothing has ruled AUTH_SHA256 out */
    enum auth_scheme answer_scheme;
    unsigned answers[AUTH_SCHEMES]; /* challenges that were answered */
    unsigned crossings;             /* answers that another challenge crossed */
    struct errand answering;
    char answer[PROTOCOL_DATAGRAM_MAX];
    size_t answer_length;
};

struct state_row {
    enum ota_phase phase;
    void (*on_reply)(struct handshake *handshake, const struct reply *reply); /* NULL: ignored */
    void (*on_resend)(struct handshake *handshake);
    void (*on_deadline)(struct handshake *handshake);
};
static const struct state_row states[STATE_COUNT];

/* -- time, events, ends -- */

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

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
    handshake->resend_us = greater(1, loop_now_us() + delay_us);
    arm(handshake);
}

static void emit(struct handshake *handshake, struct ota_event event)
{
    event.phase = states[handshake->state].phase;
    event.total = handshake->config->image->size;
    handshake->callbacks.on_event(&event, handshake->callbacks.userdata);
}

/* Each notice is given once, even if the upload takes several handshakes. */
static void note_event(struct handshake *handshake, enum notice notice, struct ota_event event)
{
    if (*handshake->config->notices & notice)
        return;
    *handshake->config->notices |= notice;
    event.type = OTA_EVENT_NOTE;
    emit(handshake, event);
}

static void note(struct handshake *handshake, enum notice notice, const char *message)
{
    note_event(handshake, notice, (struct ota_event){.message = message});
}

/* One that is said of each board of a fleet. */
static void warn(struct handshake *handshake, enum notice notice, const char *message)
{
    note_event(handshake, notice, (struct ota_event){.message = message, .is_important = true});
}

/* An answer without its two words drops a waiting board of any family to idle, and starts nothing
 * where none is waited for. */
static void release_board(struct handshake *handshake)
{
    static const char no_answer[] = "200\n";
    struct candidates *candidates = &handshake->candidates;
    bool is_open = candidates->list[candidates->current].udp.descriptor >= 0;

    if (handshake->is_left_waiting && is_open)
        candidates_send(candidates, no_answer, sizeof no_answer - 1);
    handshake->is_left_waiting = false;
}

/* Fails; on_failed follows from the loop, so that nothing on the stack need fear being freed. */
static void finish(struct handshake *handshake)
{
    release_board(handshake);
    candidates_close(&handshake->candidates);
    handshake->done = true;
    handshake->deadline_us = handshake->resend_us = 0;
    arm(handshake);
}

/* Ends the handshake with a failure; describe is fail(), or a function of handshake_ends.h. */
#define END(handshake, describe, ...)                                                              \
    (describe(&(handshake)->failure, __VA_ARGS__), finish(handshake))

static void end_unsettled(struct handshake *handshake)
{
    const struct trust *trust = handshake->config->trust;
    int64_t waited_us = loop_now_us() - handshake->challenged_us;
    bool is_playing = handshake->crossings >= TRUST_HANDSHAKE_ANSWERS_MAX;

    if (is_playing || handshake->round.is_crossed || handshake->challenges > CHALLENGES_MAX)
        END(handshake, fail, OTA_E_WRONG_PASSWORD,
            "the board kept sending new challenges (%u) instead of accepting an answer",
            handshake->challenges);
    else if (trust_is_spent(trust, handshake->answer_scheme))
        END(handshake, fail, OTA_E_NO_VERDICT,
            "the board judged none of the answers to %d of its challenges; it gets no more",
            TRUST_ANSWERS_MAX);
    else
        END(handshake, handshake_no_verdict_on_answer, handshake->board_address, waited_us,
            &handshake->gibberish);
}

static bool is_left(const struct handshake *handshake, enum auth_scheme scheme)
{
    return trust_may_answer(handshake->config->trust, scheme, handshake->answers[scheme]);
}

/* Whether one more challenge like the last one may be answered. Where SHA-256 has had its answers,
 * and the verdicts were lost, the MD5 hash of the password has its turn; not with a board that
 * sends further challenges instead. */
static bool can_answer(struct handshake *handshake)
{
    if (handshake->challenge.scheme == AUTH_MD5)
        return is_left(handshake, AUTH_MD5);
    if (handshake->crossings == 0 && !is_left(handshake, handshake->sha256_scheme) &&
        is_left(handshake, AUTH_SHA256_MD5)) {
        handshake->sha256_scheme = AUTH_SHA256_MD5;
        handshake->fresh_starts = 0;
    }
    return is_left(handshake, handshake->sha256_scheme);
}

/* -- UDP: sending -- */

/* In seconds: how long nobody has answered. */
static double find_waited(const struct handshake *handshake)
{
    bool is_only_one = endpoints_count(handshake->config->endpoints) == 1;
    double waited = (double)(loop_now_us() - handshake->start_us) / 1e6;

    return is_only_one ? (double)handshake->config->accept_timeout_us / 1e6 : waited;
}

static enum ota_error describe_absence(const struct handshake *handshake,
                                       char text[OTA_MESSAGE_MAX])
{
    char said[HANDSHAKE_QUOTED_MAX];

    return absence_describe(text, &handshake->candidates, find_waited(handshake),
                            handshake_quote_first(said, &handshake->gibberish));
}

static void note_network_error(struct handshake *handshake)
{
    char absence[OTA_MESSAGE_MAX];
    struct ota_failure news;
    enum ota_error error = describe_absence(handshake, absence);
    const char *question = error == OTA_E_NOT_LISTENING ? "; is the port (-p) right?" : "";

    fail(&news, error, "%s; going on in case the board is rebooting%s", absence, question);
    note(handshake, error == OTA_E_NOT_LISTENING ? NOTICE_REFUSED : NOTICE_UNREACHABLE,
         news.message);
}

static int network_error_of(const struct handshake *handshake)
{
    return handshake->candidates.list[handshake->candidates.current].network_error;
}

/* Says nothing of a board that is at another endpoint than the refusal. */
static void forget_refused(struct handshake *handshake)
{
    struct round *round = &handshake->round;
    bool is_only_one =
        handshake->candidates.is_settled || endpoints_count(handshake->config->endpoints) == 1;

    if (is_only_one)
        round_refused(round);
    else if (round->invitations > 0)
        round->invitations--;
}

static void end_no_answer(struct handshake *handshake);

/* A datagram of ours cannot leave, or ICMP says that it did not arrive: the next candidate's turn.
 * When all have had theirs, each has the rest of its time, as a board that is rebooting refuses,
 * too. What was refused does not wait in a queue. */
static void take_network_error(size_t endpoint, int reason, void *userdata)
{
    struct handshake *handshake = userdata;
    const struct candidates *candidates = &handshake->candidates;
    size_t next;

    if (endpoint != candidates->current)
        return;
    if (handshake->state == AUTHENTICATE || handshake->state == DRAIN)
        enter(handshake, handshake->state, 0, 0); /* the board is gone in the middle: afresh */
    if (handshake->state != INVITE)
        return;

    forget_refused(handshake);
    if (handshake_is_local(handshake->config, reason))
        handshake->candidates.list[endpoint].has_way = false;
    next = candidates_next(candidates);
    if (candidates->tries[next] < candidates->tries[endpoint]) {
        resend_after(handshake, 0);
    } else if (candidates_have_way(candidates)) {
        resend_after(handshake, REFUSED_RESEND_US);
        note_network_error(handshake);
    } else if (endpoints_count(candidates->endpoints) == 1 ||
               handshake_is_local(handshake->config, reason)) {
        END(handshake, handshake_cannot_send, handshake->config, handshake->board_address, reason);
    } else {
        end_no_answer(handshake);
    }
}

static void send_answer_datagram(struct handshake *handshake)
{
    int reason =
        candidates_send(&handshake->candidates, handshake->answer, handshake->answer_length);
    if (reason)
        take_network_error(handshake->candidates.current, reason, handshake);
}

/* When the next candidate is tried. One that is invited for the first time has the whole of -t, and
 * those before it have had a resend period each, or -t where that is shorter. */
static void give_time(struct handshake *handshake, int64_t resend_us)
{
    const struct candidates *candidates = &handshake->candidates;
    int64_t limit_us = handshake->config->accept_timeout_us;
    bool is_first = candidates->tries[candidates->current] == 0;

    if (candidates_are_left(candidates)) {
        resend_us = resend_us < limit_us ? resend_us : limit_us;
        limit_us += resend_us;
    }
    if (is_first && endpoints_count(candidates->endpoints) > 1)
        handshake->deadline_us = loop_now_us() + limit_us;
    resend_after(handshake, resend_us);
}

/* Of the invitation that is next to leave: how many the endpoint will have had. */
static unsigned find_sendings(const struct handshake *handshake)
{
    const struct candidates *candidates = &handshake->candidates;
    bool is_only_one = candidates->is_settled || endpoints_count(handshake->config->endpoints) == 1;

    return is_only_one ? handshake->round.invitations : candidates->tries[candidates->current] + 1;
}

/* The board is there, whatever else was tried. */
static void settle(struct handshake *handshake, size_t endpoint)
{
    struct address board;

    if (handshake->candidates.is_settled)
        return;
    candidates_settle(&handshake->candidates, endpoint);
    board = endpoints_get(handshake->config->endpoints, endpoint);
    address_text_port(handshake->board_address, &board);
    handshake->callbacks.on_endpoint(endpoint, handshake->callbacks.userdata);
}

/* The one place that sends invitations. */
static void send_invitation(struct handshake *handshake)
{
    const struct session_config *config = handshake->config;
    const struct pace *pace = &handshake->pace;
    struct candidates *candidates = &handshake->candidates;
    struct round *round = &handshake->round;
    char datagram[PROTOCOL_DATAGRAM_MAX], address[ADDRESS_TEXT_MAX];
    size_t length =
        protocol_format_invitation(datagram, config->command, listener_port(config->listener),
                                   config->image->size, config->image->md5);
    struct address board;
    int reason;

    candidates_advance(candidates);
    board = endpoints_get(config->endpoints, candidates->current);
    address_text_port(handshake->board_address, &board);

    handshake->invitations++;
    round_invited(round, loop_now_us());
    if (pace_is_known(pace))
        resend_after(handshake, round->backlog * pace_patience_us(pace) +
                                    pace_resend_us(pace_patience_us(pace), round->invitations));
    else
        give_time(handshake, pace_unheard_us(find_sendings(handshake)));
    round->backlog = 0;

    emit(handshake, (struct ota_event){.type = OTA_EVENT_INVITED,
                                       .attempt = handshake->invitations,
                                       .address = address_text(address, &board),
                                       .port = address_port(&board)});
    reason = candidates_try(candidates, datagram, length);
    if (reason)
        take_network_error(candidates->current, reason, handshake);
}

/* A board that was heard keeps the time that it needs, beyond -t. */
static void start_inviting(struct handshake *handshake, unsigned backlog)
{
    const struct pace *pace = &handshake->pace;
    int64_t limit_us = handshake->config->accept_timeout_us;
    if (pace_is_known(&handshake->pace))
        limit_us = greater(limit_us, backlog * pace_patience_us(pace) + pace_limit_us(pace));

    handshake->round = (struct round){.was_heard = pace_is_known(pace), .backlog = backlog};
    enter(handshake, INVITE, limit_us, 0);
    send_invitation(handshake);
}

/* A new invitation and a new challenge, as what is under way cannot be settled any more. */
static void start_afresh(struct handshake *handshake, const char *why, unsigned backlog)
{
    if (!can_answer(handshake) || handshake->fresh_starts == FRESH_STARTS_MAX) {
        end_unsettled(handshake);
        return;
    }
    handshake->fresh_starts++;
    log_debug("%s: %s: starting the handshake afresh", handshake->config->board, why);
    start_inviting(handshake, backlog);
}

/* -- authentication -- */

/* An answer to a challenge that may be void already is sent once, or a few times to a quick board:
 * more would only lengthen the queue. */
static void transmit_answer(struct handshake *handshake)
{
    struct round *round = &handshake->round;
    int64_t verdict_us = pace_verdict_us(&handshake->pace, handshake->answer_scheme != AUTH_MD5);

    round_answered(round, loop_now_us());
    handshake->challenged_us = round->challenged_us;
    if (round->answers == 1)
        enter(handshake, AUTHENTICATE, greater(ANSWER_US, 2 * verdict_us), 0);
    resend_after(handshake, pace_resend_us(verdict_us, round->answers));
    if (round_is_guess(round) &&
        (!pace_is_quick(&handshake->pace) || round->answers == DOUBTFUL_ANSWERS_MAX))
        handshake->resend_us = 0;
    send_answer_datagram(handshake);
}

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
    handshake->answers[handshake->answer_scheme]++;
    trust_answered(handshake->config->trust, handshake->answer_scheme, &answer);
    digest_cleanse(&answer, sizeof answer);
    transmit_answer(handshake);
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

static void note_md5(struct handshake *handshake)
{
    const struct address board =
        endpoints_get(handshake->config->endpoints, handshake->candidates.current);

    if (handshake->challenge.scheme == AUTH_MD5)
        note_event(handshake, NOTICE_WEAK,
                   (struct ota_event){.message = handshake_weak_auth_notice(handshake->config,
                                                                            address_port(&board)),
                                      .scheme = auth_scheme_name(AUTH_MD5),
                                      .is_important = true});
}

static void answer_challenge(struct handshake *handshake)
{
    if (round_is_answerable(&handshake->round)) {
        note_md5(handshake);
        queue_answer(handshake);
    } else
        enter(handshake, DRAIN,
              round_unread(&handshake->round) * pace_patience_us(&handshake->pace), 0);
}

/* The challenge may give the board away as one that the image is not for. Such a board gets no
 * answer: it would install the image, or say no after the whole upload. */
static bool is_image_for(struct handshake *handshake, const struct reply *challenge)
{
    const struct session_config *config = handshake->config;
    char message[OTA_MESSAGE_MAX];

    if (challenge->scheme != AUTH_SHA256 || !config->sha256_objection)
        return true;
    if (config->is_forced) {
        snprintf(message, sizeof message, "%s; it is sent all the same, as --force asks",
                 config->sha256_objection);
        note(handshake, NOTICE_OBJECTION, message);
        return true;
    }
    handshake->state = AUTHENTICATE;
    END(handshake, fail, OTA_E_IMAGE, "%s (--force sends it all the same)",
        config->sha256_objection);
    return false;
}

/* Whether an answer with MD5 would give the password away to somebody who is not to have it. */
static bool is_strong_enough(struct handshake *handshake, const struct reply *challenge)
{
    const struct session_config *config = handshake->config;

    if (challenge->scheme != AUTH_MD5)
        return true;
    if (!config->trust->has_shown_sha256 && config->min_auth == AUTH_MD5)
        return true;
    handshake->state = AUTHENTICATE;
    END(handshake, handshake_weak_auth, config);
    return false;
}

static void take_challenge(struct handshake *handshake, const struct reply *challenge)
{
    struct round *round = &handshake->round;
    if (round->challenges > 0 && strcmp(challenge->nonce, handshake->challenge.nonce) == 0)
        return; /* a duplicate */
    handshake->is_left_waiting = true;
    if (!is_image_for(handshake, challenge) || !is_strong_enough(handshake, challenge))
        return;

    handshake->challenge = *challenge;
    handshake->crossings += round->answers > 0 && !round->is_crossed;
    round_challenged(round, loop_now_us());
    if (++handshake->challenges > CHALLENGES_MAX) {
        end_unsettled(handshake);
        return;
    }
    if (round->is_crossed) { /* nothing but a rejection can follow */
        enter(handshake, AUTHENTICATE, pace_patience_us(&handshake->pace), 0);
        return;
    }
    trust_challenged(handshake->config->trust, challenge->scheme);
    if (!can_answer(handshake)) {
        handshake->state = AUTHENTICATE;
        end_unsettled(handshake);
        return;
    }

    pace_measure_challenge(&handshake->pace, round_challenge_us(round));
    if (has_password(handshake)) {
        answer_challenge(handshake);
    } else if (handshake->callbacks.on_password) {
        note_md5(handshake);
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
        answer_challenge(handshake);
    else
        end_password_needed(handshake);
}

/* The board has accepted the answer, or asked for none. False where that is not to be believed. */
static bool take_acceptance(struct handshake *handshake, const char *evidence)
{
    const struct session_config *config = handshake->config;
    struct trust *trust = config->trust;
    char message[OTA_MESSAGE_MAX];

    handshake->is_left_waiting = false;
    if (trust->door == TRUST_ANSWERED) {
        trust_accepted(trust);
        emit(handshake, (struct ota_event){.type = OTA_EVENT_AUTHENTICATED,
                                           .scheme = auth_scheme_name(trust->scheme),
                                           .evidence = evidence});
    } else if (has_password(handshake) && config->announces_password && !config->is_forced) {
        END(handshake, handshake_not_asked, handshake->board_address);
        return false;
    } else if (has_password(handshake)) {
        note_event(handshake, NOTICE_NOT_ASKED,
                   (struct ota_event){.message = handshake_not_asked_notice(message, config),
                                      .password = "not-asked",
                                      .is_important = true});
    }
    return true;
}

static void take_rejection(struct handshake *handshake)
{
    const struct round *round = &handshake->round;
    unsigned unread = round->answers - 1;
    handshake->is_left_waiting = false;
    bool was_typed = round->answered_us - round->challenged_us > TYPING_US;
    if (!was_typed)
        pace_measure_verdict(&handshake->pace, loop_now_us() - round->answered_us);

    if (round_is_doubtful(round)) {
        log_debug("%s: the rejection may be of another answer", handshake->config->board);
        start_inviting(handshake, unread);
    } else if (handshake->answer_scheme == AUTH_SHA256_MD5 && handshake->is_hash_open) {
        end_unsettled(handshake); /* the answers with SHA-256 were never judged */
    } else if (handshake->answer_scheme == AUTH_SHA256) {
        /* The board does not announce which hash of the password it stores. */
        log_debug("%s: trying the MD5 hash of the password", handshake->config->board);
        handshake->sha256_scheme = AUTH_SHA256_MD5;
        handshake->is_hash_open = false;
        handshake->fresh_starts = 0;
        start_inviting(handshake, unread);
    } else {
        END(handshake, handshake_wrong_password, handshake->config, handshake->answer_scheme);
    }
}

/* -- UDP: replies, by state -- */

static void wait_for_connection(struct handshake *handshake)
{
    int64_t limit_us = handshake->config->accept_timeout_us;
    enter(handshake, ACCEPT, limit_us > CONNECT_US ? limit_us : CONNECT_US, 0);
}

/* An OK may be late: it then judges an answer that was given up. */
static void take_ok(struct handshake *handshake)
{
    if (handshake->config->trust->door == TRUST_SHUT)
        log_debug("%s: ignoring an OK to a challenge that was not answered",
                  handshake->config->board);
    else if (take_acceptance(handshake, "reply"))
        wait_for_connection(handshake);
}

static void take_refusal(struct handshake *handshake, const struct reply *reply)
{
    const struct session_config *config = handshake->config;
    struct reply shown = *reply;

    handshake->is_left_waiting = false;
    if (trust_is_echo(config->trust, handshake->password, reply->text))
        snprintf(shown.text, sizeof shown.text, "%s", TRUST_ECHO);
    END(handshake, handshake_refused, config, &shown);
}

/* Of an answer that was given up. */
static void take_late_rejection(struct handshake *handshake)
{
    handshake->is_left_waiting &= handshake->state != INVITE;
    trust_rejected(handshake->config->trust);
}

static void reply_to_invitation(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type == REPLY_OK)
        take_ok(handshake);
    else if (reply->type == REPLY_CHALLENGE)
        take_challenge(handshake, reply);
    else if (reply->type == REPLY_ERROR)
        take_refusal(handshake, reply);
    else if (reply->type == REPLY_AUTH_FAILED)
        take_late_rejection(handshake);
}

static void reply_to_answer(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type != REPLY_AUTH_FAILED) {
        reply_to_invitation(handshake, reply);
        return;
    }
    trust_rejected(handshake->config->trust);
    take_rejection(handshake);
}

static void reply_while_accepting(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type == REPLY_ERROR)
        take_refusal(handshake, reply);
}

/* -- deadlines, by state -- */

static void resend_invitation(struct handshake *handshake)
{
    const struct candidates *candidates = &handshake->candidates;
    size_t next = candidates_next(candidates);
    const struct address board = endpoints_get(candidates->endpoints, next);
    char address[ADDRESS_TEXT_MAX + 8], message[sizeof address + 64];

    snprintf(message, sizeof message, "no answer yet; inviting it again%s%s",
             next == candidates->current ? "" : ", at ",
             next == candidates->current ? "" : address_text_port(address, &board));
    if (handshake->round.invitations) /* what was refused is not */
        note(handshake, NOTICE_SILENCE, message);
    send_invitation(handshake);
}

static void give_up_answer(struct handshake *handshake)
{
    const struct round *round = &handshake->round;
    unsigned sent = network_error_of(handshake) ? 0 : round_unread(round) + round->answers;
    if (round_is_guess(round))
        pace_measure_challenge(&handshake->pace, round->challenged_us - round->invited_us);

    int64_t read = (loop_now_us() - round->answered_us) / pace_patience_us(&handshake->pace);
    start_afresh(handshake, "no answer to the authentication",
                 read < sent ? sent - (unsigned)read : 0);
}

static void invite_drained(struct handshake *handshake)
{
    start_inviting(handshake, 0);
}

/* The way to the best candidate; with -I it is not the kernel's choice. */
static void describe_detour(const struct handshake *handshake, char detour[NETWORKS_DETOUR_MAX])
{
    const struct candidates *candidates = &handshake->candidates;
    size_t endpoint = candidates->is_settled ? candidates->current : 0;
    const struct address board = endpoints_get(candidates->endpoints, endpoint);
    struct ifaddrs *interfaces = NULL;
    struct address local;

    *detour = '\0';
    if (handshake->config->source || !candidates_local(candidates, endpoint, &local) ||
        getifaddrs(&interfaces) < 0)
        return;
    networks_describe_detour(detour, &board, &local, interfaces);
    freeifaddrs(interfaces);
}

static void end_absent(struct handshake *handshake)
{
    char absence[OTA_MESSAGE_MAX], detour[NETWORKS_DETOUR_MAX];
    enum ota_error error = describe_absence(handshake, absence);

    describe_detour(handshake, detour);
    END(handshake, fail, error, "%s%s%s", absence, *detour ? "; " : "", detour);
}

static void end_no_answer(struct handshake *handshake)
{
    const struct round *round = &handshake->round;
    if (pace_is_known(&handshake->pace) && !network_error_of(handshake))
        END(handshake, handshake_fell_silent, handshake->board_address, round->invitations,
            loop_now_us() - round->invited_us);
    else
        end_absent(handshake);
}

static void end_no_password(struct handshake *handshake)
{
    END(handshake, fail, OTA_E_PASSWORD_NEEDED,
        "the board asks for a password, and none was typed in %.3g s", (double)PASSWORD_US / 1e6);
}

static void end_no_connection(struct handshake *handshake)
{
    struct address local;
    bool known = candidates_local(&handshake->candidates, handshake->candidates.current, &local);
    END(handshake, handshake_no_connection, handshake->config, known ? &local : NULL);
}

static const struct state_row states[STATE_COUNT] = {
    [INVITE] = {OTA_PHASE_INVITE, reply_to_invitation, resend_invitation, end_no_answer},
    [DRAIN] = {OTA_PHASE_AUTHENTICATE, reply_to_invitation, NULL, invite_drained},
    [PASSWORD] = {OTA_PHASE_AUTHENTICATE, NULL, NULL, end_no_password},
    [ANSWER] = {OTA_PHASE_AUTHENTICATE, reply_to_invitation, NULL, give_up_answer},
    [AUTHENTICATE] = {OTA_PHASE_AUTHENTICATE, reply_to_answer, transmit_answer, give_up_answer},
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
    const char *text = handshake->config->trust->given_count ? "" : reply->text;
    handshake_count_gibberish(&handshake->gibberish, text);
    log_debug("%s: ignoring a datagram of %zu bytes: %s", handshake->config->board, length,
              *text ? text : "(not shown)");
}

static void take_datagram(size_t endpoint, const void *data, size_t length, void *userdata)
{
    struct handshake *handshake = userdata;
    struct reply reply;
    protocol_parse_reply(&reply, data, length);
    if (reply.type == REPLY_GARBAGE) {
        handshake->candidates.list[endpoint].is_foreign = true;
        take_gibberish(handshake, length, &reply);
        return;
    }
    settle(handshake, endpoint);
    if (states[handshake->state].on_reply)
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
    handshake->candidates = (struct candidates){.poll_api = config->poll_api,
                                                .endpoints = config->endpoints,
                                                .source = config->source,
                                                .on_datagram = take_datagram,
                                                .on_error = take_network_error,
                                                .userdata = handshake};
    handshake->answering = (struct errand){.run = send_answer, .userdata = handshake};
    handshake->password = config->password;
    handshake->sha256_scheme =
        config->md5_target || config->trust->keeps_md5_hash ? AUTH_SHA256_MD5 : AUTH_SHA256;
    handshake->is_hash_open = handshake->sha256_scheme == AUTH_SHA256;
    if (candidates_open(&handshake->candidates) < 0 ||
        loop_arm(config->poll_api, &handshake->timer, 0, on_timer, handshake) < 0) {
        candidates_free(&handshake->candidates);
        free(handshake);
        return NULL;
    }
    start_inviting(handshake, 0);
    return handshake;
}

/* Whether this peer may have said OK, and to whom it was said. */
static bool is_admitted(const struct handshake *handshake, const struct address *peer)
{
    const struct session_config *config = handshake->config;
    const struct address board = endpoints_get(config->endpoints, handshake->candidates.current);
    bool is_other = handshake->candidates.is_settled && !config->peer && !config->peer_any &&
                    !address_equal(&board, peer);

    if (handshake->done || is_other)
        return false;
    if (handshake->state == ACCEPT)
        return true;
    return !config->peer_any && config->trust->door != TRUST_SHUT;
}

/* What the board has said before it connected counts first. */
bool handshake_connected(struct handshake *handshake, const struct address *peer)
{
    char message[OTA_MESSAGE_MAX];
    struct trust *trust = handshake->config->trust;

    candidates_receive(&handshake->candidates);
    if (!is_admitted(handshake, peer)) {
        if (!handshake->done)
            warn(handshake, NOTICE_EARLY, handshake_early_notice(message, handshake->config, peer));
        return false;
    }
    settle(handshake, candidates_find(&handshake->candidates, peer));
    if (handshake->state != ACCEPT && !take_acceptance(handshake, "connection"))
        return false;
    handshake->is_accepted = true;
    trust_connected(trust);
    return true;
}

void handshake_free(struct handshake *handshake)
{
    if (!handshake)
        return;
    /* An invitation may be on its way, of an upload that is interrupted. */
    handshake->is_left_waiting |= handshake->state == INVITE && !handshake->done &&
                                  !handshake->is_accepted && handshake->invitations > 0;
    release_board(handshake);
    candidates_free(&handshake->candidates);
    errands_remove(handshake->config->errands, &handshake->answering);
    handshake->config->poll_api->timeout_free(handshake->timer);
    digest_cleanse(handshake->answer, sizeof handshake->answer);
    free(handshake);
}

enum ota_phase handshake_phase(const struct handshake *handshake)
{
    return states[handshake->state].phase;
}
