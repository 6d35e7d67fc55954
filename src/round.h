/*
 * round.h: what went to and fro between us and a board since the handshake last started afresh, and
 * what follows from it for the board's queue. Pure; round.c has the rules.
 */
#ifndef ROUND_H
#define ROUND_H

#include <stdbool.h>
#include <stdint.h>

/* Starts as {0}, or with the first two set. */
struct round {
    bool was_heard;   /* the board, before the first invitation */
    unsigned backlog; /* datagrams from before that the board may read first */
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

/* The network says that nothing reached the board, or that it is not there. */
void round_refused(struct round *round);

/* How many invitations the board may read after the challenge that came last. */
unsigned round_unread(const struct round *round);

/* Whether the challenge that came last can be answered: no invitation makes it void, or the earlier
 * ones were probably lost. */
bool round_is_answerable(const struct round *round);

/* Whether it was to the last invitation only in all probability: it may be a slow board's reply to
 * the first one, after all. */
bool round_is_guess(const struct round *round);

/* How long the board took for that challenge. */
int64_t round_challenge_us(const struct round *round);

/* Whether another challenge may have replaced the one that was answered. */
bool round_is_doubtful(const struct round *round);

#endif
