/* page_challenge.c: see page_challenge.h. */
#include "upload/web/page_challenge.h"

#include "base/error.h"

enum trust_strength page_challenge_strength(const struct challenge *challenge)
{
    if (challenge->scheme == CHALLENGE_DIGEST_SHA256)
        return TRUST_SHA256;
    if (challenge->has_digest || challenge_is_digest(challenge))
        return TRUST_MD5;
    return challenge->scheme == CHALLENGE_BASIC ? TRUST_PASSWORD : TRUST_NOTHING;
}

bool page_take_challenge(struct trust *trust, const struct challenge *challenge, bool is_encrypted,
                         struct ota_failure *failure)
{
    const enum trust_strength strength = page_challenge_strength(challenge);
    const bool is_known = challenge_can_be_answered(challenge);
    const bool is_allowed = is_known && trust_allows(trust, strength, is_encrypted, failure);

    if (!is_known) {
        ota_fail(failure, OTA_E_PASSWORD_NEEDED,
                 "the board asks for an unknown kind of authentication");
        failure->cause = OTA_CAUSE_UNKNOWN_WAY;
    }
    if (is_allowed || strength > TRUST_PASSWORD)
        trust_challenged(trust, strength);
    return is_allowed;
}
