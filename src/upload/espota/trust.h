/*
 * trust.h: what a board has been given in one upload, and what it has shown of itself: whether it
 * may have the image, and whether one more answer to a challenge. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_TRUST_H
#define ESP_OTA_UPLOAD_ESPOTA_TRUST_H

#include "crypto/auth.h"

#include <stdbool.h>

enum {
    TRUST_ANSWERS_MAX = 4,           /* in an upload, without a connection that followed */
    TRUST_MD5_ANSWERS_MAX = 3,       /* of these, to a challenge for MD5 */
    TRUST_HANDSHAKE_ANSWERS_MAX = 2, /* of one kind in one handshake */
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
    bool has_shown_sha256;   /* in a challenge: it never gets an answer with MD5 */
    bool keeps_md5_hash;     /* it has rejected AUTH_SHA256, or accepted AUTH_SHA256_MD5 */
    enum auth_scheme scheme; /* of the last answer */
    unsigned answers;        /* that no connection followed */
};

/* A challenge came, with AUTH_MD5 or AUTH_SHA256. */
void trust_challenged(struct trust *trust, enum auth_scheme scheme);

/* Whether one more challenge may be answered with that scheme, after here in this handshake. All
 * answers of the upload count, whatever their scheme. With SHA-256 there may be one more than with
 * MD5, as the first one may be made with the wrong hash of the password: with three, boards that
 * keep an MD5 hash fail ten times as often at 20 % loss (test-handshake_pace). */
bool trust_may_answer(const struct trust *trust, enum auth_scheme scheme, unsigned here);
bool trust_is_spent(const struct trust *trust, enum auth_scheme scheme);

/* The user has typed another password: answers count from here, and rejections are forgotten. */
void trust_begin_again(struct trust *trust);

/* An answer is about to leave. */
void trust_answered(struct trust *trust, enum auth_scheme scheme);

/* The board rejected an answer, whichever, so it has a password; said OK to the last one; or has
 * connected: another connection needs another answer. Each attempt needs one, so an answer that a
 * connection followed is not counted. */
void trust_rejected(struct trust *trust);
void trust_accepted(struct trust *trust);
void trust_connected(struct trust *trust);

#endif
