/*
 * round.h: counts datagrams since the handshake last started afresh, to estimate how many of them
 * are still in the board's queue. Pure; round.c has the rules.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_ROUND_H
#define ESP_OTA_UPLOAD_ESPOTA_ROUND_H

#include <stdbool.h>
#include <stdint.h>

/* Starts as {0}, or with the first two set. */
struct round {
    bool was_heard;   /* the board had replied before the first invitation */
    unsigned backlog; /* earlier datagrams that the board may read first */
    unsigned invitations;
    unsigned challenges;
    unsigned answers;        /* sendings of one answer */
    int64_t invited_us;      /* the first invitation */
    int64_t last_invited_us; /* the last one */
    int64_t challenged_us;   /* the last challenge */
    int64_t answered_us;     /* the first sending of the answer */
    bool is_crossed;         /* another challenge came after the answer had left */
};

void round_invited(struct round *round, int64_t now_us);
void round_challenged(struct round *round, int64_t now_us);
void round_answered(struct round *round, int64_t now_us);

/* The board has said OK: what comes now is about an invitation that it reads after that. */
void round_accepted(struct round *round);

/* ICMP says that the invitations did not arrive: none of them is in the board's queue. */
void round_refused(struct round *round);

/* How many invitations the board may read after the challenge that came last. */
unsigned round_unread(const struct round *round);

/* Whether the last challenge can be answered: either no unread invitation will make it void, or it
 * came so promptly that the earlier invitations were probably lost. */
bool round_is_answerable(const struct round *round);

/* Whether the last challenge may be a slow board's reply to the first invitation although it came
 * promptly after the last one. */
bool round_is_guess(const struct round *round);

/* How long the board took for the last challenge, in microseconds. */
int64_t round_challenge_us(const struct round *round);

/* Whether another challenge may have replaced the one that was answered. */
bool round_is_doubtful(const struct round *round);

#endif
