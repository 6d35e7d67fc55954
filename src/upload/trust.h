/*
 * trust.h: the state of a board's authentication in one upload, in all of its attempts, by any
 * protocol. It decides whether the board may get the image, or one more answer to a challenge.
 * Pure.
 */
#ifndef ESP_OTA_UPLOAD_TRUST_H
#define ESP_OTA_UPLOAD_TRUST_H

#include "base/address.h"
#include "crypto/auth.h"
#include "esp-ota/error.h"

#include <stdbool.h>

enum {
    TRUST_ANSWERS_MAX = 4,      /* answers with SHA-256 in an upload, see trust_is_spent() */
    TRUST_WEAK_ANSWERS_MAX = 3, /* answers after which a weaker challenge gets none */
};

/* What a board asks for. A later member gives less of the password away. */
enum trust_strength {
    TRUST_NOTHING,  /* it has not asked */
    TRUST_PASSWORD, /* the password itself: HTTP's Basic */
    TRUST_MD5,
    TRUST_SHA256,
};

/* Whether the board may have the image. */
enum trust_door {
    TRUST_UNASKED,  /* it may: it never asked for a password */
    TRUST_SHUT,     /* not: it has asked for a password, or rejected the last answer */
    TRUST_ANSWERED, /* it may, if it accepts the answer to its last challenge */
};

/* One for each board, shared by all attempts of its upload. Starts as {.least = ...}. */
struct trust {
    enum trust_door door;
    enum auth_scheme least;    /* --min-auth: AUTH_MD5, or AUTH_SHA256: nothing weaker */
    enum trust_strength asked; /* the strongest challenge; never gets an answer to a weaker one */
    bool has_given_md5;        /* an answer with MD5 was sent */
    bool keeps_md5_hash;       /* ArduinoOTA: rejected AUTH_SHA256, or accepted AUTH_SHA256_MD5 */
    enum auth_scheme scheme;   /* ArduinoOTA: scheme of the last answer */
    unsigned answers;          /* those that trust_connected() did not take back */
    bool is_connected;         /* trust_connected() has taken back one of this attempt */
    struct address told;       /* who got the password itself last; AF_UNSPEC: nobody */
};

enum trust_strength trust_strength(enum auth_scheme scheme);

/* An attempt begins. Answers of an earlier one do not count: the peer may now be another host. */
void trust_begin_attempt(struct trust *trust);

/* Whether a challenge of this strength may be answered, or the password be asked for. Otherwise
 * fills in failure: OTA_E_DOWNGRADE after a stronger challenge, OTA_E_WEAK_AUTH below --min-auth
 * unless is_encrypted. */
bool trust_allows(const struct trust *trust, enum trust_strength strength, bool is_encrypted,
                  struct ota_failure *failure);

/* A challenge came, and the rules allow it. */
void trust_challenged(struct trust *trust, enum trust_strength strength);

/* Whether the upload allows no more answers to challenges of this strength. Answers of any strength
 * count, except one of each attempt that the image followed. SHA-256 gets one more, because of
 * ArduinoOTA: the first answer may use the wrong hash of the password. With a limit of three,
 * boards that store an MD5 hash fail ten times as often at 20 % loss (test-handshake_pace). */
bool trust_is_spent(const struct trust *trust, enum trust_strength strength);

/* If trust_is_spent(): fills in failure (OTA_E_NO_VERDICT) and returns true. */
bool trust_fail_spent(const struct trust *trust, enum trust_strength strength,
                      struct ota_failure *failure);

/* The user has typed another password: restarts the count of answers, and forgets rejections. */
void trust_begin_again(struct trust *trust);

/* An answer to a challenge is about to be sent. A repetition of it does not count. */
void trust_answered(struct trust *trust, enum trust_strength strength);

/* The password itself is sent to this address, and no certificate shows who that is: other
 * addresses of the board's name, which may be another host's, do not get it in later attempts
 * either. */
void trust_told(struct trust *trust, const struct address *address);

/* The board rejected any answer, so it has a password. */
void trust_rejected(struct trust *trust);

/* ArduinoOTA: the board said OK to the last answer. */
void trust_accepted(struct trust *trust);

/* The image is about to be sent. It needs another answer if it is to be sent again. The answer
 * before it is no longer counted, as each attempt needs one. */
void trust_connected(struct trust *trust);

/* The board takes the image without a password. Returns false and fills in failure
 * (OTA_E_DOWNGRADE) if it has asked for one before, in any attempt. */
bool trust_unasked(const struct trust *trust, struct ota_failure *failure);

#endif
