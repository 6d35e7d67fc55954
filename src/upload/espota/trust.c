/*
 * trust.c: follows the challenges, answers and verdicts of one upload.
 */
#include "upload/espota/trust.h"

void trust_begin_handshake(struct trust *trust)
{
    if (trust->door == TRUST_ANSWERED)
        trust->door = TRUST_SHUT;
}

void trust_challenged(struct trust *trust, enum auth_scheme scheme)
{
    trust->door = TRUST_SHUT;
    trust->has_shown_sha256 |= scheme != AUTH_MD5;
}

bool trust_is_spent(const struct trust *trust, enum auth_scheme scheme)
{
    const unsigned most = scheme == AUTH_MD5 ? TRUST_MD5_ANSWERS_MAX : TRUST_ANSWERS_MAX;

    return trust->answers >= most;
}

bool trust_may_answer(const struct trust *trust, enum auth_scheme scheme, unsigned here)
{
    return !trust_is_spent(trust, scheme) && here < TRUST_HANDSHAKE_ANSWERS_MAX;
}

void trust_begin_again(struct trust *trust)
{
    trust->answers = 0;
    trust->keeps_md5_hash = false;
}

void trust_answered(struct trust *trust, enum auth_scheme scheme)
{
    trust->door = TRUST_ANSWERED;
    trust->scheme = scheme;
    trust->has_given_md5 |= scheme == AUTH_MD5;
    trust->answers++;
}

void trust_rejected(struct trust *trust)
{
    trust->door = TRUST_SHUT;
}

void trust_accepted(struct trust *trust)
{
    trust->keeps_md5_hash |= trust->scheme == AUTH_SHA256_MD5;
}

void trust_connected(struct trust *trust)
{
    if (trust->door != TRUST_ANSWERED)
        return;

    trust->door = TRUST_SHUT;
    if (trust->answers > 0)
        trust->answers--;
}
