/*
 * handshake_answer.c: handles challenges, sends the answers to them, and handles the board's
 * verdict. handshake.c has the rules.
 */
#include "upload/espota/handshake_internal.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"
#include "crypto/digest.h"
#include "image/image_fit.h"
#include "upload/trust.h"

#include <stdio.h>
#include <string.h>

enum {
    ANSWERS_MAX = 2,          /* answers with one scheme in one handshake */
    DOUBTFUL_ANSWERS_MAX = 3, /* sendings of an answer to a challenge that may be void */
};

static const int64_t ANSWER_US = SECONDS(7);        /* shortest wait for a verdict */
static const int64_t TYPING_US = MILLISECONDS(500); /* an answer that takes longer was typed */
static const int64_t PASSWORD_US = SECONDS(120);

static bool is_answer_left(const struct handshake *handshake, enum auth_scheme scheme)
{
    return handshake->answers[scheme] < ANSWERS_MAX &&
           !trust_is_spent(handshake->config->trust, trust_strength(scheme));
}

/* Whether the board may store the SHA-256 hash of the password. */
static bool is_sha256_open(const struct handshake *handshake)
{
    return !handshake->config->md5_target && !handshake->config->trust->keeps_md5_hash;
}

/* When all answers with SHA-256 were sent and their verdicts lost, the MD5 hash of the password is
 * tried. Boards that sent further challenges instead of verdicts are excepted. */
bool handshake_can_answer(struct handshake *handshake)
{
    if (handshake->challenge.scheme == AUTH_MD5)
        return is_answer_left(handshake, AUTH_MD5);

    if (handshake->crossings == 0 && !is_answer_left(handshake, handshake->sha256_scheme) &&
        is_answer_left(handshake, AUTH_SHA256_MD5)) {
        handshake->sha256_scheme = AUTH_SHA256_MD5;
        handshake->restarts = 0;
    }
    return is_answer_left(handshake, handshake->sha256_scheme);
}

void handshake_end_unsettled(struct handshake *handshake)
{
    int64_t waited_us = loop_now_us() - handshake->challenged_us;
    bool sends_only_challenges = handshake->crossings >= ANSWERS_MAX ||
                                 handshake->round.is_crossed ||
                                 handshake->challenges > CHALLENGES_MAX;
    struct ota_failure *failure = &handshake->failure;

    if (handshake_end_trouble(handshake))
        return;

    if (handshake->revocations)
        handshake_took_ok_back(failure, handshake->board_address, handshake->revocations);
    else if (sends_only_challenges)
        ota_fail(failure, OTA_E_WRONG_PASSWORD,
                 "the board kept sending new challenges (%u) instead of accepting an answer",
                 handshake->challenges);
    else if (!trust_fail_spent(handshake->config->trust,
                               trust_strength(handshake->challenge.scheme), failure))
        handshake_no_verdict_on_answer(failure, handshake->board_address, waited_us,
                                       &handshake->gibberish);

    handshake_finish(handshake);
}

static void send_answer_datagram(struct handshake *handshake)
{
    int reason =
        candidates_send(&handshake->candidates, handshake->answer, handshake->answer_length);

    if (reason)
        handshake_on_network_error(handshake->candidates.current, reason, handshake);
    else
        handshake_log_sent(handshake, "200, and the answer, which is not shown");
}

/* An answer to a challenge that may be void is sent once, or a few times to a quick board. More
 * sendings would only fill the board's queue. */
void handshake_transmit_answer(struct handshake *handshake)
{
    struct round *round = &handshake->round;
    int64_t verdict_us = pace_verdict_us(&handshake->pace, handshake->answer_scheme != AUTH_MD5);

    round_answered(round, loop_now_us());
    handshake->challenged_us = round->challenged_us;
    if (round->answers == 1)
        handshake_enter(handshake, AUTHENTICATE, greater_us(ANSWER_US, 2 * verdict_us));

    handshake_resend_after(handshake, pace_resend_us(verdict_us, round->answers));
    if (round_is_guess(round) &&
        (!pace_is_quick(&handshake->pace) || round->answers == DOUBTFUL_ANSWERS_MAX))
        handshake->resend_us = 0;

    send_answer_datagram(handshake);
}

/* PBKDF2 takes 5 ms, and hundreds of boards may send challenges at once, so each answer is computed
 * in its own turn of the loop. */
static void queue_answer(struct handshake *handshake)
{
    handshake_enter(handshake, ANSWER, PASSWORD_US);
    work_queue_add(handshake->config->work_queue, &handshake->answering);
}

/* What the board did before the answer must not count as done after it. Its datagrams and
 * connections are therefore taken now, when an OK is ignored and nobody may have the image. Returns
 * false if the answer may not be sent after that, or only after more datagrams. */
static bool take_what_came_before(struct handshake *handshake)
{
    const unsigned challenges = handshake->challenges;
    bool is_all = candidates_receive(&handshake->candidates);
    int trouble = listener_empty(handshake->config->listener);

    if (handshake->is_done || handshake->state != ANSWER || handshake->challenges != challenges)
        return false;
    if (!is_all) {
        work_queue_add(handshake->config->work_queue, &handshake->answering);
        return false;
    }
    if (trouble == 0)
        return true;

    ota_fail_errno(
        &handshake->failure, OTA_E_INTERNAL, trouble,
        "the board's connection cannot be told from earlier ones, as these cannot be accepted: %s",
        strerror(trouble));
    handshake_finish(handshake);
    return false;
}

/* Ends the handshake and returns false when that fails. */
static bool compute_answer(struct handshake *handshake)
{
    struct auth_answer answer;

    handshake->answer_scheme =
        handshake->challenge.scheme == AUTH_MD5 ? AUTH_MD5 : handshake->sha256_scheme;
    if (auth_respond(&answer, handshake->answer_scheme, handshake->password,
                     handshake->challenge.nonce, NULL) < 0) {
        ota_fail_errno(&handshake->failure, OTA_E_INTERNAL, digest_errno(),
                       "cannot answer the board's %s challenge: %s",
                       auth_scheme_name(handshake->answer_scheme), digest_error());
        handshake_finish(handshake);
        return false;
    }

    handshake->answer_length = protocol_format_answer(handshake->answer, &answer);
    bool is_learned = echo_learn(handshake->config->echo, NULL, &answer, &handshake->failure);
    digest_cleanse(&answer, sizeof answer);
    if (!is_learned) {
        handshake_finish(handshake);
        return false;
    }

    handshake->computed = handshake->challenges;
    return true;
}

void handshake_send_answer(void *userdata)
{
    struct handshake *handshake = userdata;
    bool is_computed = handshake->computed == handshake->challenges;

    if (handshake->is_done || handshake->state != ANSWER)
        return;
    if ((!is_computed && !compute_answer(handshake)) || !take_what_came_before(handshake))
        return;

    handshake->answers[handshake->answer_scheme]++;
    handshake->config->trust->scheme = handshake->answer_scheme;
    trust_answered(handshake->config->trust, trust_strength(handshake->answer_scheme));
    handshake_transmit_answer(handshake);
}

static bool has_password(const struct handshake *handshake)
{
    return handshake->password && *handshake->password;
}

static void end_password_needed(struct handshake *handshake)
{
    ota_fail(&handshake->failure, OTA_E_PASSWORD_NEEDED,
             "the board asks for a password, and none was given");
    handshake_finish(handshake);
}

static void note_md5(struct handshake *handshake)
{
    if (handshake->challenge.scheme == AUTH_MD5)
        handshake_note_event(handshake, NOTICE_WEAK,
                             (struct ota_event){.message = handshake_weak_auth_notice(),
                                                .scheme = auth_scheme_name(AUTH_MD5),
                                                .is_important = true});
}

static void answer_challenge(struct handshake *handshake)
{
    if (round_is_answerable(&handshake->round)) {
        note_md5(handshake);
        queue_answer(handshake);
    } else {
        handshake_enter(handshake, DRAIN,
                        round_unread(&handshake->round) * pace_patience_us(&handshake->pace));
    }
}

/* A challenge may show that the image is not for this board. Such a board gets no answer, because
 * it would install the image, or reject it only after the whole upload. */
static bool is_image_for(struct handshake *handshake, const struct reply *challenge)
{
    const struct session_config *config = handshake->config;
    char message[OTA_MESSAGE_MAX];

    if (challenge->scheme != AUTH_SHA256 || !config->sha256_objection)
        return true;

    if (config->is_forced) {
        snprintf(message, sizeof message, "%s%s", config->sha256_objection,
                 image_fit_override(true));
        handshake_note(handshake, NOTICE_OBJECTION, message);
        return true;
    }

    handshake->state = AUTHENTICATE;
    ota_fail(&handshake->failure, OTA_E_IMAGE, "%s%s", config->sha256_objection,
             image_fit_override(false));
    handshake_finish(handshake);
    return false;
}

/* Ends the handshake and returns false when memory ran out. */
static bool remember_sha256(struct handshake *handshake, const struct address *board)
{
    if (address_set_add(handshake->config->sha256_addresses, board))
        return true;

    ota_fail_no_memory(&handshake->failure);
    handshake_finish(handshake);
    return false;
}

/* Returns false, and ends the handshake, if an answer with MD5 could give the password to an
 * impostor. */
static bool is_strong_enough(struct handshake *handshake, const struct reply *challenge)
{
    const struct session_config *config = handshake->config;
    const struct address board = endpoints_get(config->endpoints, handshake->candidates.current);

    if (challenge->scheme != AUTH_MD5)
        return remember_sha256(handshake, &board);
    if (!handshake_is_downgrade(config, &board) && config->trust->least == AUTH_MD5)
        return true;

    handshake->state = AUTHENTICATE;
    handshake_weak_auth(&handshake->failure, config, &board);
    handshake_finish(handshake);
    return false;
}

/* Whether the network has duplicated a challenge of this round. */
static bool is_repeated(const struct handshake *handshake, const struct reply *challenge)
{
    for (unsigned i = 1; i <= handshake->round.challenges; i++)
        if (strcmp(handshake->nonces[handshake->challenges - i], challenge->nonce) == 0)
            return true;
    return false;
}

static void ask_for_password(struct handshake *handshake)
{
    note_md5(handshake);
    if (handshake->state == PASSWORD)
        return; /* the password is being typed, and will be used for this challenge */

    handshake_enter(handshake, PASSWORD, PASSWORD_US);
    handshake->callbacks.on_password(handshake->callbacks.userdata);
}

/* Returns false if the handshake ends with this challenge. */
static bool take_challenge(struct handshake *handshake, const struct reply *challenge)
{
    struct round *round = &handshake->round;

    handshake->is_left_waiting = true;
    if (!is_image_for(handshake, challenge) || !is_strong_enough(handshake, challenge))
        return false;

    trust_challenged(handshake->config->trust, trust_strength(challenge->scheme));
    handshake->challenge = *challenge;
    handshake->crossings += round->answers > 0 && !round->is_crossed;
    round_challenged(round, loop_now_us());
    memcpy(handshake->nonces[handshake->challenges++], challenge->nonce, sizeof challenge->nonce);

    if (handshake->challenges > CHALLENGES_MAX)
        handshake_end_unsettled(handshake);
    return !handshake->is_done;
}

void handshake_on_challenge(struct handshake *handshake, const struct reply *challenge)
{
    struct round *round = &handshake->round;

    if (is_repeated(handshake, challenge) || !take_challenge(handshake, challenge))
        return;

    if (round->is_crossed) { /* only a rejection can follow */
        handshake_enter(handshake, AUTHENTICATE, pace_patience_us(&handshake->pace));
        return;
    }
    if (!handshake_can_answer(handshake)) {
        handshake->state = AUTHENTICATE;
        handshake_end_unsettled(handshake);
        return;
    }

    pace_measure_challenge(&handshake->pace, round_challenge_us(round));
    if (has_password(handshake))
        answer_challenge(handshake);
    else
        ask_for_password(handshake);
}

/* The board could not connect, and has then read a datagram of its queue; or it is malicious. Its
 * challenge is answered like any other. A rejection means that it is idle. */
void handshake_on_revocation(struct handshake *handshake, const struct reply *reply)
{
    if (reply->type == REPLY_CHALLENGE && is_repeated(handshake, reply))
        return;

    handshake->revocations++;
    handshake_warn(handshake, NOTICE_REVOKED,
                   "the board said OK, and then asked for the password again or rejected it; it "
                   "gets nothing before it accepts another answer");
    round_accepted(&handshake->round);
    if (reply->type == REPLY_CHALLENGE) {
        handshake_on_challenge(handshake, reply);
        return;
    }

    trust_rejected(handshake->config->trust);
    handshake_restart(handshake, "the board has rejected an answer that it had accepted", 0);
}

/* A board that is idle by now is invited again. */
void handshake_set_password(struct handshake *handshake, const char *password)
{
    if (handshake->is_done || handshake->state != PASSWORD)
        return;

    handshake->password = password;
    if (!has_password(handshake))
        end_password_needed(handshake);
    else if (handshake->is_left_waiting)
        answer_challenge(handshake);
    else
        handshake_invite(handshake, 0);
}

bool handshake_on_acceptance(struct handshake *handshake, const char *evidence)
{
    const struct session_config *config = handshake->config;
    struct trust *trust = config->trust;
    char message[OTA_MESSAGE_MAX];

    handshake->is_left_waiting = false;
    if (trust->door == TRUST_ANSWERED) {
        trust_accepted(trust);
        handshake_emit(handshake, (struct ota_event){.type = OTA_EVENT_AUTHENTICATED,
                                                     .scheme = auth_scheme_name(trust->scheme),
                                                     .evidence = evidence});
        return true;
    }
    if (!has_password(handshake))
        return true;

    if (config->announces_password && !config->is_forced) {
        handshake_not_asked(&handshake->failure, handshake->board_address);
        handshake_finish(handshake);
        return false;
    }

    handshake_note_event(handshake, NOTICE_NOT_ASKED,
                         (struct ota_event){.message = handshake_not_asked_notice(message, config),
                                            .password = "not-asked",
                                            .is_important = true});
    return true;
}

void handshake_on_rejection(struct handshake *handshake)
{
    const struct round *round = &handshake->round;
    unsigned unread = round->answers - 1;
    bool was_typed = round->answered_us - round->challenged_us > TYPING_US;

    handshake->is_left_waiting = false;
    if (!was_typed)
        pace_measure_verdict(&handshake->pace, loop_now_us() - round->answered_us);

    if (round_is_doubtful(round)) {
        diag_debug("%s: the rejection may concern another answer", handshake->config->board);
        handshake_invite(handshake, unread);
    } else if (handshake->answer_scheme == AUTH_SHA256) {
        /* Boards do not say which hash of the password they store. */
        diag_debug("%s: trying the MD5 hash of the password", handshake->config->board);
        handshake->config->trust->keeps_md5_hash = true;
        handshake->sha256_scheme = AUTH_SHA256_MD5;
        handshake->restarts = 0;
        handshake_invite(handshake, unread);
    } else if (handshake->answer_scheme == AUTH_SHA256_MD5 && is_sha256_open(handshake)) {
        handshake_end_unsettled(handshake); /* the answers with SHA-256 got no verdict */
    } else {
        handshake_wrong_password(&handshake->failure, handshake->config, handshake->answer_scheme);
        handshake_finish(handshake);
    }
}

void handshake_give_up_answer(struct handshake *handshake)
{
    const struct round *round = &handshake->round;
    unsigned sent = handshake_network_error(handshake) ? 0 : round_unread(round) + round->answers;

    if (round_is_guess(round))
        pace_measure_challenge(&handshake->pace, round->challenged_us - round->invited_us);

    int64_t read = (loop_now_us() - round->answered_us) / pace_patience_us(&handshake->pace);
    handshake_restart(handshake, "no answer to the authentication",
                      read < sent ? sent - (unsigned)read : 0);
}

void handshake_end_no_password(struct handshake *handshake)
{
    ota_fail(&handshake->failure, OTA_E_PASSWORD_NEEDED,
             "the board asks for a password, and none was typed in %.3g s",
             (double)PASSWORD_US / 1e6);
    handshake_finish(handshake);
}
