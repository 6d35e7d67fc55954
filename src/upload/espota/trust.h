/*
 * trust.h: the state of a board's authentication in one upload. It decides whether the board may
 * get the image, or one more answer to a challenge. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_TRUST_H
#define ESP_OTA_UPLOAD_ESPOTA_TRUST_H

#include "crypto/auth.h"

#include <stdbool.h>

enum {
    TRUST_ANSWERS_MAX = 4,           /* answers in an upload that no connection followed */
    TRUST_MD5_ANSWERS_MAX = 3,       /* answers after which a challenge with MD5 gets none */
    TRUST_HANDSHAKE_ANSWERS_MAX = 2, /* answers with one scheme in one handshake */
};

/* Whether the board may have said OK, and to which datagram. */
enum trust_door {
    TRUST_UNASKED,  /* OK to an invitation: the board never asked for a password */
    TRUST_SHUT,     /* no OK: the board has asked for a password, or rejected the last answer */
    TRUST_ANSWERED, /* OK to the answer to its last challenge */
};

/* One for each board, shared by all handshakes of its upload. Starts as {.least = ...}. */
struct trust {
    enum trust_door door;
    enum auth_scheme least;  /* --min-auth: AUTH_MD5, or AUTH_SHA256: nothing weaker */
    bool has_shown_sha256;   /* sent a challenge with SHA-256; never gets an answer with MD5 */
    bool has_given_md5;      /* an answer with MD5 was sent */
    bool keeps_md5_hash;     /* rejected AUTH_SHA256, or accepted AUTH_SHA256_MD5 */
    enum auth_scheme scheme; /* scheme of the last answer */
    unsigned answers;        /* answers that no connection followed */
};

/* A handshake begins. Answers of an earlier one do not count: the peer may now be another host, at
 * another address of the board. */
void trust_begin_handshake(struct trust *trust);

/* A challenge came, with AUTH_MD5 or AUTH_SHA256. */
void trust_challenged(struct trust *trust, enum auth_scheme scheme);

/* Whether one more challenge may be answered with the scheme, after `here` such answers in this
 * handshake. All answers of the upload count, with any scheme. SHA-256 gets one more than MD5,
 * because the first answer may use the wrong hash of the password. With a limit of three, boards
 * that store an MD5 hash fail ten times as often at 20 % loss (test-handshake_pace). */
bool trust_may_answer(const struct trust *trust, enum auth_scheme scheme, unsigned here);

/* Whether the upload allows no more answers to challenges with the scheme. */
bool trust_is_spent(const struct trust *trust, enum auth_scheme scheme);

/* The user has typed another password: restarts the count of answers, and forgets rejections. */
void trust_begin_again(struct trust *trust);

/* An answer is about to be sent. */
void trust_answered(struct trust *trust, enum auth_scheme scheme);

/* The board rejected any answer, so it has a password. */
void trust_rejected(struct trust *trust);

/* The board said OK to the last answer. */
void trust_accepted(struct trust *trust);

/* The board connected. Another connection needs another answer. The answer before this one is no
 * longer counted, as each attempt needs one. */
void trust_connected(struct trust *trust);

#endif
