/*
 * trust.h: what a board has been given in one upload, and what it has shown of itself: whether it
 * may have the image, and whether one more answer to a challenge. Pure.
 */
#ifndef TRUST_H
#define TRUST_H

#include "auth.h"

#include <stdbool.h>

enum {
    TRUST_ANSWERS_MAX = 3,           /* challenges that are answered in an upload, by scheme */
    TRUST_HANDSHAKE_ANSWERS_MAX = 2, /* and in one handshake */
};

/* Whether the board may have said OK. */
enum trust_door {
    TRUST_UNASKED,  /* it never asked for a password: to the invitation */
    TRUST_SHUT,     /* no: it has asked, or rejected the answer, and waits for the next one */
    TRUST_ANSWERED, /* to the answer to its last challenge */
};

/* One for each board, and for all handshakes of its upload. Starts as {0}. */
struct trust {
    enum trust_door door;
    bool has_shown_sha256;          /* in a challenge: it never gets an answer with MD5 */
    bool keeps_md5_hash;            /* it has accepted an answer with AUTH_SHA256_MD5 */
    enum auth_scheme scheme;        /* of the last answer */
    unsigned answers[AUTH_SCHEMES]; /* since it last accepted one */
};

/* A challenge came, with AUTH_MD5 or AUTH_SHA256. */
void trust_challenged(struct trust *trust, enum auth_scheme scheme);

/* Whether one more challenge may be answered, after here in this handshake. Each scheme is counted
 * alone: a board that keeps an MD5 hash takes one answer with SHA-256 before the right one. */
bool trust_may_answer(const struct trust *trust, enum auth_scheme scheme, unsigned here);
bool trust_is_spent(const struct trust *trust, enum auth_scheme scheme);

/* The user has typed another password: answers count from here. */
void trust_begin_again(struct trust *trust);

/* An answer is about to leave. */
void trust_answered(struct trust *trust, enum auth_scheme scheme);

/* The board rejected an answer, said OK to it, or has connected: another connection needs another
 * answer. */
void trust_rejected(struct trust *trust);
void trust_accepted(struct trust *trust);
void trust_connected(struct trust *trust);

#endif
