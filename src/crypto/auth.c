/*
 * auth.c: computes the answer to a board's challenge. Intermediate values are as secret as the
 * password.
 */
#include "crypto/auth.h"

#include "base/secret.h"
#include "crypto/crypto.h"

#include <stdio.h>
#include <string.h>

/* Fixed by the boards' side of the protocol. */
enum { ITERATIONS = 10000 };

/* Room for "<key>:<nonce>:<cnonce>" with 64 digits each. */
enum { JOINED_MAX = 3 * (DIGEST_SHA256_HEX + 1) };

/* MD5(MD5(password) ":" nonce ":" cnonce) */
static int respond_md5(struct auth_answer *answer, const char *password, const char *nonce)
{
    char secret[DIGEST_MD5_HEX + 1];
    char joined[JOINED_MAX];
    int result = digest_md5(secret, password, strlen(password));

    if (result == 0) {
        snprintf(joined, sizeof joined, "%s:%s:%s", secret, nonce, answer->cnonce);
        result = digest_md5(answer->response, joined, strlen(joined));
    }

    digest_cleanse(secret, sizeof secret);
    digest_cleanse(joined, sizeof joined);
    return result;
}

/* SHA256(PBKDF2(H(password), nonce ":" cnonce) ":" nonce ":" cnonce); digest is H. */
static int respond_sha256(struct auth_answer *answer, int (*digest)(char *, const void *, size_t),
                          const char *password, const char *nonce)
{
    char secret[DIGEST_SHA256_HEX + 1];
    char key[DIGEST_SHA256_HEX + 1];
    char joined[JOINED_MAX];
    int result = digest(secret, password, strlen(password));

    snprintf(joined, sizeof joined, "%s:%s", nonce, answer->cnonce);
    if (result == 0)
        result = digest_pbkdf2(key, secret, joined, ITERATIONS);
    if (result == 0) {
        snprintf(joined, sizeof joined, "%s:%s:%s", key, nonce, answer->cnonce);
        result = digest_sha256(answer->response, joined, strlen(joined));
    }

    digest_cleanse(secret, sizeof secret);
    digest_cleanse(key, sizeof key);
    digest_cleanse(joined, sizeof joined);
    return result;
}

/* Clears the answer, and stores the caller's cnonce in it or a random one. Returns -1 if a length
 * is wrong. */
static int begin_answer(struct auth_answer *answer, enum auth_scheme scheme, const char *nonce,
                        const char *cnonce)
{
    size_t digits = scheme == AUTH_MD5 ? DIGEST_MD5_HEX : DIGEST_SHA256_HEX;

    memset(answer, 0, sizeof *answer);
    if (strlen(nonce) != digits || (cnonce && strlen(cnonce) != digits))
        return -1;
    if (!cnonce)
        return digest_random(answer->cnonce, digits);

    memcpy(answer->cnonce, cnonce, digits);
    return 0;
}

int auth_respond(struct auth_answer *answer, enum auth_scheme scheme, const char *password,
                 const char *nonce, const char *cnonce)
{
    if (begin_answer(answer, scheme, nonce, cnonce) != 0)
        return -1;

    switch (scheme) {
    case AUTH_MD5:
        return respond_md5(answer, password, nonce);
    case AUTH_SHA256:
        return respond_sha256(answer, digest_sha256, password, nonce);
    case AUTH_SHA256_MD5:
        return respond_sha256(answer, digest_md5, password, nonce);
    }
    return -1;
}

int auth_respond_plainly(struct auth_answer *answer, enum auth_scheme scheme, const char *password,
                         const char *nonce, const char *cnonce)
{
    if (begin_answer(answer, scheme, nonce, cnonce) != 0)
        return -1;

    const size_t size = strlen(password) + strlen(nonce) + strlen(answer->cnonce) + 1;
    char *joined = secret_alloc(size);
    if (!joined) {
        crypto_add_shortage();
        return -1;
    }

    snprintf(joined, size, "%s%s%s", password, nonce, answer->cnonce);
    int result = scheme == AUTH_MD5 ? digest_md5(answer->response, joined, size - 1)
                                    : digest_sha256(answer->response, joined, size - 1);
    secret_free(joined);
    return result;
}

const char *auth_scheme_name(enum auth_scheme scheme)
{
    switch (scheme) {
    case AUTH_MD5:
        return "MD5";
    case AUTH_SHA256:
        return "SHA-256";
    case AUTH_SHA256_MD5:
        return "SHA-256 (MD5 hash)";
    }
    return "unknown";
}

bool auth_find_least(enum auth_scheme *scheme, const char *name)
{
    bool is_sha256 = strcmp(name, "sha256") == 0;

    *scheme = is_sha256 ? AUTH_SHA256 : AUTH_MD5;
    return is_sha256 || strcmp(name, "md5") == 0;
}
