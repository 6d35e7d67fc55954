/*
 * trust.c: see trust.h. Touches nothing but its arguments.
 */
#include "trust.h"

#include <ctype.h>
#include <string.h>

enum {
    ECHO_MIN = 8,     /* digits: by chance, once in 4,000 million times */
    WORDS_MAX = 1024, /* more than anybody says */
};

void trust_challenged(struct trust *trust, enum auth_scheme scheme)
{
    trust->door = TRUST_SHUT;
    trust->has_shown_sha256 |= scheme != AUTH_MD5;
}

bool trust_is_spent(const struct trust *trust, enum auth_scheme scheme)
{
    return trust->answers[scheme] >= TRUST_ANSWERS_MAX;
}

bool trust_may_answer(const struct trust *trust, enum auth_scheme scheme, unsigned here)
{
    return !trust_is_spent(trust, scheme) && here < TRUST_HANDSHAKE_ANSWERS_MAX;
}

void trust_answered(struct trust *trust, enum auth_scheme scheme, const struct auth_answer *answer)
{
    trust->door = TRUST_ANSWERED;
    trust->scheme = scheme;
    trust->answers[scheme]++;
    trust->given[trust->given_count++ % TRUST_ANSWERS_KEPT] = *answer;
}

void trust_rejected(struct trust *trust)
{
    if (trust->door == TRUST_ANSWERED)
        trust->door = TRUST_SHUT;
}

void trust_accepted(struct trust *trust)
{
    trust->keeps_md5_hash |= trust->scheme == AUTH_SHA256_MD5;
    memset(trust->answers, 0, sizeof trust->answers);
}

void trust_connected(struct trust *trust)
{
    if (trust->door == TRUST_ANSWERED)
        trust->door = TRUST_SHUT;
}

/* -- echoes -- */

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* The hexadecimal digits of words, in lower case; those of an escape sequence were none. */
static void gather_digits(char digits[WORDS_MAX], const char *words)
{
    size_t count = 0;

    while (*words && count < WORDS_MAX - 1) {
        bool is_escape = words[0] == '\\' && words[1] == 'x' && words[2] && words[3];
        char c = (char)tolower((unsigned char)*words);

        if (!is_escape && is_digit(c))
            digits[count++] = c;
        words += is_escape ? 4 : 1;
    }
    digits[count] = '\0';
}

static bool has_part(const char *digits, const char *secret)
{
    char part[ECHO_MIN + 1] = "";

    for (size_t i = 0; i + ECHO_MIN <= strlen(secret); i++) {
        memcpy(part, secret + i, ECHO_MIN);
        if (strstr(digits, part))
            return true;
    }
    return false;
}

static bool has_hash(const char *digits, const char *password)
{
    char md5[DIGEST_MD5_HEX + 1] = "", sha256[DIGEST_SHA256_HEX + 1] = "";
    bool found;

    if (!password || !*password)
        return false;
    if (digest_md5(md5, password, strlen(password)) < 0 ||
        digest_sha256(sha256, password, strlen(password)) < 0)
        found = true; /* nothing can be said for sure */
    else
        found = has_part(digits, md5) || has_part(digits, sha256);
    digest_cleanse(md5, sizeof md5);
    digest_cleanse(sha256, sizeof sha256);
    return found;
}

bool trust_is_echo(const struct trust *trust, const char *password, const char *words)
{
    char digits[WORDS_MAX];

    gather_digits(digits, words);
    if (strlen(digits) < ECHO_MIN)
        return false;
    for (size_t i = 0; i < TRUST_ANSWERS_KEPT; i++)
        if (has_part(digits, trust->given[i].cnonce) || has_part(digits, trust->given[i].response))
            return true;
    return has_hash(digits, password);
}
