/*
 * trust.c: follows the challenges, answers and verdicts of one upload.
 */
#include "upload/trust.h"

#include "base/error.h"

enum trust_strength trust_strength(enum auth_scheme scheme)
{
    return scheme == AUTH_MD5 ? TRUST_MD5 : TRUST_SHA256;
}

void trust_begin_attempt(struct trust *trust)
{
    if (trust->door == TRUST_ANSWERED)
        trust->door = TRUST_SHUT;
    trust->is_connected = false;
}

static const char *strength_text(enum trust_strength strength)
{
    static const char *const texts[] = {[TRUST_NOTHING] = "nothing",
                                        [TRUST_PASSWORD] = "the password itself (Basic)",
                                        [TRUST_MD5] = "an answer with MD5",
                                        [TRUST_SHA256] = "an answer with SHA-256"};

    return texts[strength];
}

bool trust_allows(const struct trust *trust, enum trust_strength strength, bool is_encrypted,
                  struct ota_failure *failure)
{
    if (strength < trust->asked)
        ota_fail(failure, OTA_E_DOWNGRADE,
                 "the board asked for %s at first and now asks for %s, which would give the "
                 "password away; it gets none",
                 strength_text(trust->asked), strength_text(strength));
    else if (trust->least != AUTH_MD5 && strength < TRUST_SHA256 && !is_encrypted)
        ota_fail(failure, OTA_E_WEAK_AUTH,
                 "the board asks for %s, and --min-auth allows nothing below SHA-256",
                 strength_text(strength));
    else
        return true;
    return false;
}

void trust_challenged(struct trust *trust, enum trust_strength strength)
{
    trust->door = TRUST_SHUT;
    if (strength > trust->asked)
        trust->asked = strength;
}

bool trust_is_spent(const struct trust *trust, enum trust_strength strength)
{
    return trust->answers >= (strength < TRUST_SHA256 ? TRUST_WEAK_ANSWERS_MAX : TRUST_ANSWERS_MAX);
}

bool trust_fail_spent(const struct trust *trust, enum trust_strength strength,
                      struct ota_failure *failure)
{
    if (!trust_is_spent(trust, strength))
        return false;

    ota_fail(failure, OTA_E_NO_VERDICT,
             "the board got answers to %u of its challenges without judging all; it gets no more",
             trust->answers);
    return true;
}

void trust_begin_again(struct trust *trust)
{
    trust->answers = 0;
    trust->keeps_md5_hash = false;
}

void trust_answered(struct trust *trust, enum trust_strength strength)
{
    trust->door = TRUST_ANSWERED;
    trust->has_given_md5 |= strength == TRUST_MD5;
    trust->answers++;
}

void trust_told(struct trust *trust, const struct address *address)
{
    trust->told = *address;
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
    if (trust->answers > 0 && !trust->is_connected)
        trust->answers--;
    trust->is_connected = true;
}

bool trust_unasked(const struct trust *trust, struct ota_failure *failure)
{
    if (trust->door != TRUST_SHUT)
        return true;

    ota_fail(
        failure, OTA_E_DOWNGRADE,
        "the board asked for a password before, but now takes an image without one; it gets none");
    return false;
}
