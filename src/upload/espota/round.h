/*
 * round.h: counts the datagrams of one round of invitations, to estimate how many of them are still
 * in the board's queue. Pure. round.c has the rules.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_ROUND_H
#define ESP_OTA_UPLOAD_ESPOTA_ROUND_H

#include <stdbool.h>
#include <stdint.h>

/* Starts as {0}, or with the first two members set. */
struct round {
    bool was_heard;   /* the board had replied before the first invitation */
    unsigned backlog; /* earlier datagrams that the board may read first */
    unsigned invitations;
    unsigned challenges;
    unsigned answers;        /* sendings of the same answer */
    int64_t invited_us;      /* time of the first invitation */
    int64_t last_invited_us; /* time of the last invitation */
    int64_t challenged_us;   /* time of the last challenge */
    int64_t answered_us;     /* time of the first sending of the answer */
    bool is_crossed;         /* another challenge came after the answer was sent */
};

void round_invited(struct round *round, int64_t now_us);
void round_challenged(struct round *round, int64_t now_us);
void round_answered(struct round *round, int64_t now_us);

/* The board has said OK. Later replies are to invitations read after the OK. */
void round_accepted(struct round *round);

/* ICMP reports that the invitations did not arrive, so none of them is in the board's queue. */
void round_refused(struct round *round);

/* How many invitations the board may still read after its last challenge. */
unsigned round_unread(const struct round *round);

/* Whether the last challenge can be answered. Either no unread invitation will make it void, or it
 * came so promptly that the earlier invitations were probably lost. */
bool round_is_answerable(const struct round *round);

/* Whether the last challenge may be a slow board's reply to the first invitation, even if it came
 * promptly after the last one. */
bool round_is_guess(const struct round *round);

/* How long the board took for the last challenge, in microseconds. */
int64_t round_challenge_us(const struct round *round);

/* Whether the board may have replaced the challenge that was answered. */
bool round_is_doubtful(const struct round *round);

#endif
