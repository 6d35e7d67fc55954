/*
 * challenge.c: a parser of WWW-Authenticate, which tolerates what boards send, and the answers.
 * Everything that is made of the password is in memory for secrets.
 */
#include "http/challenge.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/secret.h"
#include "crypto/digest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { CNONCE_DIGITS = 16, ANSWER_MAX = 4096, SECRET_TEXT_MAX = 2048, USER_MAX = 128 };

/* -- parsing -- */

struct reader {
    const char *at;
    const char *end;
};

static void skip_blanks(struct reader *reader, const char *blanks)
{
    while (reader->at < reader->end && *reader->at && strchr(blanks, *reader->at))
        reader->at++;
}

/* Reads up to one of the stops into text, which is empty if it would not fit. */
static void read_token(struct reader *reader, char text[CHALLENGE_TEXT_MAX], const char *stops)
{
    const char *start = reader->at;

    while (reader->at < reader->end && *reader->at && !strchr(stops, *reader->at))
        reader->at++;

    size_t length = (size_t)(reader->at - start);
    if (length >= CHALLENGE_TEXT_MAX)
        length = 0;
    memcpy(text, start, length);
    text[length] = '\0';
}

/* Reads a value, quoted or not. A backslash quotes the next character. Returns false if the value
 * is not complete or does not fit. */
static bool read_value(struct reader *reader, char text[CHALLENGE_TEXT_MAX])
{
    size_t length = 0;

    if (reader->at == reader->end || *reader->at != '"') {
        read_token(reader, text, " \t,");
        return *text;
    }
    for (reader->at++; reader->at < reader->end && *reader->at != '"'; reader->at++) {
        if (*reader->at == '\\' && reader->at + 1 < reader->end)
            reader->at++;
        if (length + 1 >= CHALLENGE_TEXT_MAX || (unsigned char)*reader->at < 0x20)
            return false;
        text[length++] = *reader->at;
    }
    text[length] = '\0';
    if (reader->at == reader->end)
        return false;
    reader->at++;
    return true;
}

/* "auth", "auth,auth-int", "auth-int" */
static bool offers_auth(const char *qop)
{
    for (const char *at = qop; *at;) {
        size_t length = strcspn(at, ", ");

        if (length == 4 && strncasecmp(at, "auth", 4) == 0)
            return true;
        at += length;
        at += strspn(at, ", ");
    }
    return false;
}

static enum challenge_scheme find_algorithm(const char *name)
{
    if (strcasecmp(name, "MD5") == 0)
        return CHALLENGE_DIGEST_MD5;
    if (strcasecmp(name, "SHA-256") == 0)
        return CHALLENGE_DIGEST_SHA256;
    return CHALLENGE_UNKNOWN;
}

static void set_parameter(struct challenge *challenge, const char *name, const char *value)
{
    bool is_digest = challenge->scheme >= CHALLENGE_DIGEST_MD5;

    if (strcasecmp(name, "realm") == 0)
        snprintf(challenge->realm, sizeof challenge->realm, "%s", value);
    else if (strcasecmp(name, "nonce") == 0)
        snprintf(challenge->nonce, sizeof challenge->nonce, "%s", value);
    else if (strcasecmp(name, "opaque") == 0)
        challenge->has_opaque =
            snprintf(challenge->opaque, sizeof challenge->opaque, "%s", value) >= 0;
    else if (strcasecmp(name, "qop") == 0)
        challenge->has_qop = offers_auth(value);
    else if (strcasecmp(name, "stale") == 0)
        challenge->is_stale = strcasecmp(value, "true") == 0;
    else if (is_digest && strcasecmp(name, "algorithm") == 0)
        challenge->scheme = find_algorithm(value);
}

static enum challenge_scheme find_scheme(const char *name)
{
    if (strcasecmp(name, "Basic") == 0)
        return CHALLENGE_BASIC;
    if (strcasecmp(name, "Digest") == 0)
        return CHALLENGE_DIGEST_MD5;
    return CHALLENGE_UNKNOWN;
}

static void keep_stronger(struct challenge *challenge, const struct challenge *other)
{
    bool is_complete = !challenge_is_digest(other) || *other->nonce;
    const bool has_digest = challenge->has_digest || other->has_digest;

    if (is_complete && other->scheme > challenge->scheme)
        *challenge = *other;
    else if (!is_complete && challenge->scheme == CHALLENGE_NONE)
        challenge->scheme = CHALLENGE_UNKNOWN;
    challenge->has_digest = has_digest;
}

/* A name without "=" after it is the scheme of the next challenge. */
void challenge_add(struct challenge *challenge, const char *value, size_t length)
{
    struct reader reader = {value, value + length};
    struct challenge current = {0};
    char name[CHALLENGE_TEXT_MAX], text[CHALLENGE_TEXT_MAX];

    while (!challenge->has_folded) {
        skip_blanks(&reader, " \t,");
        if (reader.at == reader.end || !*reader.at)
            break;

        read_token(&reader, name, " \t,="); /* it begins with none of them but "=" */
        skip_blanks(&reader, " \t");
        if (reader.at < reader.end && *reader.at == '=') {
            reader.at++;
            skip_blanks(&reader, " \t");
            if (!read_value(&reader, text))
                continue;
            set_parameter(&current, name, text);
        } else {
            keep_stronger(challenge, &current);
            current = (struct challenge){.scheme = find_scheme(name)};
            current.has_digest = challenge_is_digest(&current);
        }
    }
    keep_stronger(challenge, &current);
}

void challenge_add_folded(struct challenge *challenge)
{
    challenge->scheme = CHALLENGE_UNKNOWN;
    challenge->has_digest = challenge->has_folded = true;
}

bool challenge_is_digest(const struct challenge *challenge)
{
    return challenge->scheme >= CHALLENGE_DIGEST_MD5;
}

/* -- answers -- */

/* A quote would end the value, and a control character the header. */
static bool is_quotable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f || *text == '"' || *text == '\\')
            return false;
    return true;
}

bool challenge_can_be_answered(const struct challenge *challenge)
{
    if (challenge->scheme == CHALLENGE_BASIC && challenge->has_digest)
        return false;
    return challenge->scheme > CHALLENGE_UNKNOWN && is_quotable(challenge->realm) &&
           is_quotable(challenge->nonce) && is_quotable(challenge->opaque);
}

bool challenge_is_user(const char *user)
{
    size_t length = strlen(user);

    return length >= 1 && length <= USER_MAX && is_quotable(user) && !strchr(user, ':');
}

static bool fail_too_long(struct ota_failure *failure)
{
    ota_fail(failure, OTA_E_INTERNAL, "the answer to the board's challenge would be too long");
    return false;
}

static bool write_basic(char *answer, char *pair, const struct challenge_question *question,
                        struct ota_failure *failure)
{
    static const char start[] = "Authorization: Basic ";
    const int length = snprintf(pair, SECRET_TEXT_MAX, "%s:%s", question->user, question->password);

    _Static_assert(BASE64_SIZE(SECRET_TEXT_MAX) + sizeof start <= ANSWER_MAX, "it fits");
    if (length < 0 || length >= SECRET_TEXT_MAX)
        return fail_too_long(failure);

    memcpy(answer, start, sizeof start);
    base64_encode(answer + sizeof start - 1, pair, (size_t)length);
    return true;
}

static int hash_text(enum challenge_scheme scheme, char hex[DIGEST_SHA256_HEX + 1],
                     const char *text)
{
    return scheme == CHALLENGE_DIGEST_SHA256 ? digest_sha256(hex, text, strlen(text))
                                             : digest_md5(hex, text, strlen(text));
}

/* What a Digest is computed from; all of it in memory for secrets. */
struct digest_work {
    char text[SECRET_TEXT_MAX];
    char secret[DIGEST_SHA256_HEX + 1];  /* of user, realm and password */
    char request[DIGEST_SHA256_HEX + 1]; /* of method and URI */
    char response[DIGEST_SHA256_HEX + 1];
};

static bool fail_hash(enum challenge_scheme scheme, struct ota_failure *failure)
{
    ota_fail_errno(failure, OTA_E_INTERNAL, digest_errno(),
                   "cannot compute the answer to the board's challenge (Digest with %s): %s",
                   scheme == CHALLENGE_DIGEST_SHA256 ? "SHA-256" : "MD5", digest_error());
    return false;
}

static bool compute_response(struct digest_work *work, const struct challenge_question *question,
                             const char *cnonce, struct ota_failure *failure)
{
    const struct challenge *challenge = question->challenge;
    const enum challenge_scheme scheme = challenge->scheme;
    char *text = work->text;
    const size_t room = sizeof work->text;

    if (snprintf(text, room, "%s:%s:%s", question->user, challenge->realm, question->password) >=
        (int)room)
        return fail_too_long(failure);
    if (hash_text(scheme, work->secret, text) != 0)
        return fail_hash(scheme, failure);
    if (snprintf(text, room, "%s:%s", question->method, question->uri) >= (int)room)
        return fail_too_long(failure);
    if (hash_text(scheme, work->request, text) != 0)
        return fail_hash(scheme, failure);

    if (challenge->has_qop)
        snprintf(text, room, "%s:%s:00000001:%s:auth:%s", work->secret, challenge->nonce, cnonce,
                 work->request);
    else
        snprintf(text, room, "%s:%s:%s", work->secret, challenge->nonce, work->request);
    return hash_text(scheme, work->response, text) == 0 || fail_hash(scheme, failure);
}

static bool format_digest(char answer[ANSWER_MAX], const struct challenge_question *question,
                          const char *response, const char *cnonce)
{
    const struct challenge *challenge = question->challenge;
    char qop[64] = "", opaque[CHALLENGE_TEXT_MAX + 16] = "";

    if (challenge->has_qop)
        snprintf(qop, sizeof qop, ", qop=auth, nc=00000001, cnonce=\"%s\"", cnonce);
    if (challenge->has_opaque)
        snprintf(opaque, sizeof opaque, ", opaque=\"%s\"", challenge->opaque);
    return snprintf(answer, ANSWER_MAX,
                    "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", "
                    "uri=\"%s\"%s, response=\"%s\"%s%s",
                    question->user, challenge->realm, challenge->nonce, question->uri,
                    challenge->scheme == CHALLENGE_DIGEST_SHA256 ? ", algorithm=SHA-256" : "",
                    response, opaque, qop) < ANSWER_MAX;
}

static bool write_digest(char *answer, struct digest_work *work,
                         const struct challenge_question *question, struct ota_failure *failure)
{
    char cnonce[CNONCE_DIGITS + 1];

    if (!challenge_can_be_answered(question->challenge) || !is_quotable(question->uri)) {
        ota_fail(failure, OTA_E_INTERNAL, "no header can hold the answer to the board's challenge");
        return false;
    }
    if (digest_random(cnonce, CNONCE_DIGITS) != 0) {
        ota_fail_call(failure, "cannot get random numbers");
        return false;
    }
    return compute_response(work, question, cnonce, failure) &&
           (format_digest(answer, question, work->response, cnonce) || fail_too_long(failure));
}

static bool write_answer(char *answer, struct digest_work *work,
                         const struct challenge_question *question, struct ota_failure *failure)
{
    if (!challenge_is_user(question->user)) {
        ota_fail(failure, OTA_E_USAGE,
                 "the name of the user in the URL cannot be sent: it is too long or has a colon, a "
                 "quote or a control character in it");
        return false;
    }
    if (question->challenge->scheme == CHALLENGE_BASIC)
        return write_basic(answer, work->text, question, failure);
    return write_digest(answer, work, question, failure);
}

char *challenge_answer(const struct challenge_question *question, struct auth_answer *given,
                       struct ota_failure *failure)
{
    struct digest_work *work = secret_alloc(sizeof *work);
    char *answer = secret_alloc(ANSWER_MAX);
    bool is_done = false;

    *given = (struct auth_answer){.cnonce = ""};
    if (!work || !answer)
        ota_fail_no_memory(failure);
    else
        is_done = write_answer(answer, work, question, failure);

    if (is_done) {
        memcpy(given->cnonce, work->secret, sizeof work->secret);
        memcpy(given->response, work->response, sizeof work->response);
    }
    secret_free(work);
    secret_cleanse_traces();
    if (is_done)
        return answer;
    secret_free(answer);
    return NULL;
}
