/*
 * page_challenge.h: what the rules of trust.h say to the challenge of a page's 401. Pure.
 */
#ifndef ESP_OTA_UPLOAD_WEB_PAGE_CHALLENGE_H
#define ESP_OTA_UPLOAD_WEB_PAGE_CHALLENGE_H

#include "http/challenge.h"
#include "upload/trust.h"

/* What a challenge asks for. A Digest of an unknown kind counts as the weakest of them: whoever has
 * asked for any does not get the password itself. */
enum trust_strength page_challenge_strength(const struct challenge *challenge);

/* Notes that the page brought this challenge. Returns whether it may be answered; else fills in
 * failure as trust_allows() does, or with OTA_E_PASSWORD_NEEDED for a kind that is not known
 * here. */
bool page_take_challenge(struct trust *trust, const struct challenge *challenge, bool is_encrypted,
                         struct ota_failure *failure);

#endif
