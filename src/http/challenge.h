/*
 * challenge.h: what a server asks for with a 401 (WWW-Authenticate), and the Authorization header
 * that answers it. Pure, except that a client nonce is random.
 *
 * Basic and Digest (RFC 7616 and 2617, with MD5 or SHA-256) are known. The answer goes out with the
 * first byte of an upload: boards judge it there, and report the result only after the last byte.
 */
#ifndef ESP_OTA_HTTP_CHALLENGE_H
#define ESP_OTA_HTTP_CHALLENGE_H

#include "crypto/auth.h"
#include "esp-ota/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { CHALLENGE_TEXT_MAX = 256 };

enum challenge_scheme {
    CHALLENGE_NONE,
    CHALLENGE_UNKNOWN, /* a scheme or an algorithm that is not known here */
    CHALLENGE_BASIC,
    CHALLENGE_DIGEST_MD5,
    CHALLENGE_DIGEST_SHA256,
};

/* The strongest challenge of a reply. Starts as {0}. The texts come from outside, unescaped. */
struct challenge {
    enum challenge_scheme scheme;
    char realm[CHALLENGE_TEXT_MAX];
    char nonce[CHALLENGE_TEXT_MAX];
    char opaque[CHALLENGE_TEXT_MAX];
    bool has_opaque;
    bool has_qop;    /* qop="auth" is offered */
    bool has_digest; /* a Digest of any kind is, or may be, among the challenges */
    bool is_stale;
    bool has_folded; /* a header went on in a line that was not read */
};

/* Adds the value of one WWW-Authenticate header, which may hold several challenges. The strongest
 * one that can be answered remains. */
void challenge_add(struct challenge *challenge, const char *value, size_t length);

/* Adds that the last WWW-Authenticate header goes on in another line (folded, RFC 9112, 5.2), which
 * is not read: what the header asked for is unknown then, and counts as a Digest. Of all headers of
 * the reply, none can be answered, as the folded one may ask for something stronger. */
void challenge_add_folded(struct challenge *challenge);

bool challenge_is_digest(const struct challenge *challenge);

/* Whether the scheme is known, and a header can repeat the texts as they are. Basic is not answered
 * if a Digest is offered, too: such a server need not see the password. */
bool challenge_can_be_answered(const struct challenge *challenge);

/* Whether a user's name can be sent with any scheme: it has no quote, backslash, colon or control
 * character, and 1 to 128 bytes. */
bool challenge_is_user(const char *user);

/* A request to a server that has sent a challenge. */
struct challenge_question {
    const struct challenge *challenge;
    const char *user, *password;
    const char *method, *uri;
};

/* Returns the whole header, "Authorization: ...", for this request. NULL, with failure filled in:
 * memory ran out, libcrypto refuses the hash, or the user's name cannot be sent
 * (challenge_is_user()). The caller frees it with secret_free(). The answer to a Digest is computed
 * anew for each request, always with nc=00000001 and another cnonce. Fills in given with what
 * nobody may be shown of it: the response, and in the cnonce's place the hash of user, realm and
 * password; both are "" for Basic, and the caller cleanses them. */
char *challenge_answer(const struct challenge_question *question, struct auth_answer *given,
                       struct ota_failure *failure);

/* For people, when a challenge asks for Basic and nothing encrypts the connection. */
#define CHALLENGE_BASIC_NOTE                                                                       \
    "the board asks for the password itself (Basic), without encryption: whoever can listen in "   \
    "this network can read it"
/* When one asks for a Digest with MD5. */
#define CHALLENGE_MD5_NOTE                                                                         \
    "the board asks for an answer with MD5 (Digest), from which a weak password can be guessed "   \
    "(see --min-auth)"

#endif
