/*
 * handshake_internal.h: the state of a handshake, and the functions that handshake.c,
 * handshake_invite.c and handshake_answer.c call of each other.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_INTERNAL_H
#define ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_INTERNAL_H

#include "base/work_queue.h"
#include "crypto/auth.h"
#include "esp-ota/error.h"
#include "esp-ota/event.h"
#include "upload/espota/candidates.h"
#include "upload/espota/handshake.h"
#include "upload/espota/handshake_messages.h"
#include "upload/espota/pace.h"
#include "upload/espota/protocol.h"
#include "upload/espota/round.h"

#include <stdint.h>

enum { CHALLENGES_MAX = 8 }; /* per handshake; a board that sends more is malicious or broken */

enum state { INVITE, DRAIN, PASSWORD, ANSWER, AUTHENTICATE, ACCEPT, STATE_COUNT };

struct handshake {
    const struct session_config *config;
    const char *password;
    struct handshake_callbacks callbacks;
    enum state state;
    bool is_done; /* state remains the last one, since a failure names its phase */
    struct ota_failure failure;
    char board_address[ADDRESS_TEXT_MAX + 8]; /* address and port of the current candidate */

    struct loop_timer timer;
    int64_t deadline_us;
    int64_t resend_us; /* 0: nothing to resend */

    struct candidates candidates;
    int64_t start_us;

    enum ota_command command; /* what this board takes for the image, as far as is known */
    enum ota_command invited; /* the one in the last invitation */
    unsigned invitations;     /* total of all rounds */
    unsigned challenges;      /* total of all rounds */
    char nonces[CHALLENGES_MAX + 1][DIGEST_SHA256_HEX + 1]; /* nonces of all challenges */
    unsigned restarts;
    struct round round;
    struct pace pace;
    struct gibberish gibberish;
    struct reply challenge;         /* the last challenge */
    int64_t challenged_us;          /* arrival of the last challenge that was answered */
    bool is_left_waiting;           /* the board may still wait for an answer to a challenge */
    bool is_accepted;               /* the board has connected */
    enum auth_scheme sha256_scheme; /* next one to try: AUTH_SHA256 or AUTH_SHA256_MD5 */
    enum auth_scheme answer_scheme;
    unsigned answers[AUTH_SCHEMES]; /* number of challenges answered with each scheme */
    unsigned crossings;             /* answers that crossed another challenge */
    unsigned revocations;           /* OKs that the board took back */
    unsigned untimely_oks;          /* OKs without an answer that they could refer to */
    struct work_item answering;
    char answer[PROTOCOL_DATAGRAM_MAX];
    size_t answer_length;
    unsigned computed; /* the number of the challenge that the answer is for; 0: none */
};

/* -- handshake.c -- */

/* Enters a state. Its deadline is limit_us from now; nothing is resent until
 * handshake_resend_after(). */
void handshake_enter(struct handshake *handshake, enum state state, int64_t limit_us);
/* Sets the time of the next resend to delay_us from now. */
void handshake_resend_after(struct handshake *handshake, int64_t delay_us);
/* Logs, for debugging, a datagram to the current candidate. text describes it without secrets. */
void handshake_log_sent(const struct handshake *handshake, const char *text);
void handshake_emit(struct handshake *handshake, struct ota_event event);
/* Each notice is given once in an upload, which may take several handshakes. */
void handshake_note_event(struct handshake *handshake, enum notice notice, struct ota_event event);
void handshake_note(struct handshake *handshake, enum notice notice, const char *message);
/* Like handshake_note(), but for each board of a fleet. */
void handshake_warn(struct handshake *handshake, enum notice notice, const char *message);
/* Ends the handshake. The caller has filled in handshake->failure. It is reported later, from the
 * loop, as on_failed may free objects that callers still use. */
void handshake_finish(struct handshake *handshake);

/* -- handshake_invite.c -- */

/* Starts a round of invitations. backlog is the number of earlier datagrams that may still be in
 * the board's queue. */
void handshake_invite(struct handshake *handshake, unsigned backlog);
/* Starts another round, for the reason why. Ends the handshake instead after too many rounds. */
void handshake_restart(struct handshake *handshake, const char *why, unsigned backlog);
void handshake_resend_invitation(struct handshake *handshake);
void handshake_invite_drained(struct handshake *handshake);
/* If this computer could not send to the board or receive from it, ends the handshake and returns
 * true. The board may not be blamed then. */
bool handshake_end_trouble(struct handshake *handshake);
/* Ends the handshake because no board answers, or because the board has fallen silent. */
void handshake_end_no_answer(struct handshake *handshake);
/* A candidates_error_fn: a datagram cannot be sent, or ICMP says that it did not arrive. */
void handshake_on_network_error(size_t endpoint, int reason, void *userdata);
/* The errno of the current candidate, or 0. */
int handshake_network_error(const struct handshake *handshake);

/* -- handshake_answer.c -- */

void handshake_on_challenge(struct handshake *handshake, const struct reply *challenge);
/* Handles another challenge, or a rejection, after the board has said OK. */
void handshake_on_revocation(struct handshake *handshake, const struct reply *reply);
/* The board has accepted the answer, or did not ask for one. If that is not credible, ends the
 * handshake and returns false. */
bool handshake_on_acceptance(struct handshake *handshake, const char *evidence);
/* The board has rejected the answer. */
void handshake_on_rejection(struct handshake *handshake);
/* Whether one more challenge like the last one may be answered. */
bool handshake_can_answer(struct handshake *handshake);
/* A work item: computes the answer and sends it. */
void handshake_send_answer(void *userdata);
/* Sends the answer computed before. */
void handshake_transmit_answer(struct handshake *handshake);
/* Starts another round because no verdict on the answer came in time. */
void handshake_give_up_answer(struct handshake *handshake);
/* Ends the handshake because no password was typed in time. */
void handshake_end_no_password(struct handshake *handshake);
/* Ends the handshake because no answer got a verdict. */
void handshake_end_unsettled(struct handshake *handshake);

#endif
