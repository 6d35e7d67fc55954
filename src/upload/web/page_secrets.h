/*
 * page_secrets.h: finds secrets that a page was given in the page's own texts. Pure.
 */
#ifndef ESP_OTA_UPLOAD_WEB_PAGE_SECRETS_H
#define ESP_OTA_UPLOAD_WEB_PAGE_SECRETS_H

#include "secrets/echo.h"

#include <stdbool.h>

/* Each may be NULL. */
struct page_secrets {
    const char *password;
    const char *authorization; /* the header of the last request, see challenge.h */
    struct echo *echo;         /* the answers to a Digest, and the hashes of the password */
};

/* Whether text contains a part of an answer that the page was given. */
bool page_repeats_answer(const struct page_secrets *secrets, const char *text);

/* Returns text, or ECHO_NOTE if text contains a part of an answer, or the password. */
const char *page_hide_secrets(const struct page_secrets *secrets, const char *text);

/* The same for the next text of a page. An answer may be spread over several texts, so they have to
 * come in the order in which they are shown. Once they repeat one, each text is hidden that is
 * not empty. */
const char *page_hide_next(const struct page_secrets *secrets, const char *text);

#endif
