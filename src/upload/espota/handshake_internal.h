/*
 * handshake_internal.h: the state of a handshake, and what its files share: handshake.c,
 * handshake_invite.c and handshake_answer.c.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_INTERNAL_H
#define ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_INTERNAL_H

#include "base/work_queue.h"
#include "crypto/auth.h"
#include "upload/espota/candidates.h"
#include "upload/espota/handshake.h"
#include "upload/espota/handshake_messages.h"
#include "upload/espota/pace.h"
#include "upload/espota/protocol.h"
#include "upload/espota/round.h"

enum { CHALLENGES_MAX = 8 }; /* taken in one handshake; more is a board that plays with us */

enum state { INVITE, DRAIN, PASSWORD, ANSWER, AUTHENTICATE, ACCEPT, STATE_COUNT };

struct handshake {
    const struct session_config *config;
    const char *password;
    struct handshake_callbacks callbacks;
    enum state state;
    bool is_done; /* state stays what it was: a failure names its phase */
    struct ota_failure failure;
    char board_address[ADDRESS_TEXT_MAX + 8]; /* the current candidate's, with port, for messages */

    struct loop_timer timer;
    int64_t deadline_us;
    int64_t resend_us; /* 0: nothing to resend */

    struct candidates candidates;
    int64_t start_us;

    unsigned invitations;                                   /* in all */
    unsigned challenges;                                    /* in all */
    char nonces[CHALLENGES_MAX + 1][DIGEST_SHA256_HEX + 1]; /* of these */
    unsigned fresh_starts;
    struct round round;
    struct pace pace;
    struct gibberish gibberish;
    struct echo_window heard;       /* in datagrams */
    struct reply challenge;         /* the last one */
    int64_t challenged_us;          /* when the last one came that was answered */
    bool is_left_waiting;           /* the board may wait for an answer to it */
    bool is_accepted;               /* the board has connected */
    enum auth_scheme sha256_scheme; /* AUTH_SHA256 or AUTH_SHA256_MD5: the next one to try */
    enum auth_scheme answer_scheme;
    unsigned answers[AUTH_SCHEMES]; /* challenges that were answered */
    unsigned crossings;             /* answers that another challenge crossed */
    unsigned revocations;           /* OKs that did not hold */
    unsigned untimely_oks;          /* that cannot be to an answer */
    struct work_item answering;
    char answer[PROTOCOL_DATAGRAM_MAX];
    size_t answer_length;
};

static inline int64_t handshake_greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* -- handshake.c -- */

/* Changes the state. Its deadline is after limit_us, and its datagram is sent again after resend_us
 * (0: never). */
void handshake_enter(struct handshake *handshake, enum state state, int64_t limit_us,
                     int64_t resend_us);
/* Postpones the datagram that is to be sent again. */
void handshake_resend_after(struct handshake *handshake, int64_t delay_us);
/* A debug line about a datagram to the current candidate; what: what it says, without secrets. */
void handshake_log_sent(const struct handshake *handshake, const char *what);
void handshake_emit(struct handshake *handshake, struct ota_event event);
/* Each notice is given once, even if the upload takes several handshakes. */
void handshake_note_event(struct handshake *handshake, enum notice notice, struct ota_event event);
void handshake_note(struct handshake *handshake, enum notice notice, const char *message);
/* Also where a fleet is quiet about notes. */
void handshake_warn(struct handshake *handshake, enum notice notice, const char *message);
/* Ends the handshake with its failure, which is reported from the loop. */
void handshake_finish(struct handshake *handshake);

/* Ends the handshake with a failure; describe is ota_fail(), or a function of handshake_messages.h. */
#define END(handshake, describe, ...)                                                              \
    (describe(&(handshake)->failure, __VA_ARGS__), handshake_finish(handshake))

/* -- handshake_invite.c -- */

/* Starts a round of invitations. backlog: how many datagrams of an earlier round the board may read
 * first. */
void handshake_invite(struct handshake *handshake, unsigned backlog);
/* Starts another round because of why; ends the handshake instead after too many of them. */
void handshake_start_afresh(struct handshake *handshake, const char *why, unsigned backlog);
void handshake_resend_invitation(struct handshake *handshake);
void handshake_invite_drained(struct handshake *handshake);
/* Ends the handshake, and returns true, if this computer could not send to the board or hear it:
 * what the board did is not known then. */
bool handshake_end_trouble(struct handshake *handshake);
/* Ends the handshake because nobody answers, or the board no longer does. */
void handshake_end_no_answer(struct handshake *handshake);
/* As candidates_error_fn: a datagram of ours cannot leave, or ICMP says that it did not arrive. */
void handshake_on_network_error(size_t endpoint, int reason, void *userdata);
/* Of the current candidate: an errno, or 0. */
int handshake_network_error(const struct handshake *handshake);

/* -- handshake_answer.c -- */

void handshake_on_challenge(struct handshake *handshake, const struct reply *challenge);
/* Another challenge, or a rejection, after the board has said OK. */
void handshake_on_revocation(struct handshake *handshake, const struct reply *reply);
/* The board has accepted the answer, or asked for none. Returns false, and ends the handshake, if
 * that is not credible. */
bool handshake_on_acceptance(struct handshake *handshake, const char *evidence);
/* The board has rejected the answer. */
void handshake_on_rejection(struct handshake *handshake);
/* Whether one more challenge like the last one may be answered. */
bool handshake_can_answer(struct handshake *handshake);
/* As errand_fn: computes the answer and sends it. */
void handshake_send_answer(void *userdata);
/* Sends the answer that was computed. */
void handshake_transmit_answer(struct handshake *handshake);
/* The answer got no verdict in time: starts afresh. */
void handshake_give_up_answer(struct handshake *handshake);
/* Ends the handshake because no password was typed in time. */
void handshake_end_no_password(struct handshake *handshake);
/* Ends the handshake because no answer got a verdict. */
void handshake_end_unsettled(struct handshake *handshake);

#endif
