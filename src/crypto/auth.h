/*
 * auth.h: computes the answer to a board's challenge. Pure: bytes in, bytes out.
 */
#ifndef ESP_OTA_CRYPTO_AUTH_H
#define ESP_OTA_CRYPTO_AUTH_H

#include "crypto/digest.h"

#include <stdbool.h>

enum auth_scheme {
    AUTH_MD5,        /* nonce of 32 digits: 8266 family, ESP32 cores before 3.3.1 */
    AUTH_SHA256,     /* nonce of 64 digits: ESP32 cores from 3.3.1 */
    AUTH_SHA256_MD5, /* like AUTH_SHA256, for a board that stores MD5(password) */
};
enum { AUTH_SCHEMES = AUTH_SHA256_MD5 + 1 };

/* The fields of `200 <cnonce> <response>`: lower-case hex, terminated. */
struct auth_answer {
    char cnonce[DIGEST_SHA256_HEX + 1];
    char response[DIGEST_SHA256_HEX + 1];
};

/* Answers nonce (as many hex digits as the scheme has). With MD5: MD5(MD5(password) ":" nonce ":"
 * cnonce). With SHA-256: key = PBKDF2-HMAC-SHA256(H(password) as hex text, nonce ":" cnonce, 10,000
 * iterations), response = SHA256(key ":" nonce ":" cnonce), where H is SHA-256, or MD5 for
 * AUTH_SHA256_MD5. cnonce is random, or the caller's when not NULL (tests). Costs a few
 * milliseconds of CPU with SHA-256. Returns 0, or -1 when libcrypto refuses (see digest_error()).
 * All intermediate values are cleansed; the caller cleanses the answer. */
int auth_respond(struct auth_answer *answer, enum auth_scheme scheme, const char *password,
                 const char *nonce, const char *cnonce);

/* The same for the challenges of ESPHome, with AUTH_MD5 or AUTH_SHA256: response = H(password nonce
 * cnonce), where H is the scheme's hash and nothing stands between the three. */
int auth_respond_plainly(struct auth_answer *answer, enum auth_scheme scheme, const char *password,
                         const char *nonce, const char *cnonce);

const char *auth_scheme_name(enum auth_scheme scheme);

/* Reads a value of --min-auth, "md5" or "sha256". Returns false for anything else. */
bool auth_find_least(enum auth_scheme *scheme, const char *name);

#endif
