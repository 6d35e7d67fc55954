/*
 * page_words.h: what a reply in the words of a sketch's author says of an upload. Pure.
 */
#ifndef ESP_OTA_UPLOAD_WEB_PAGE_WORDS_H
#define ESP_OTA_UPLOAD_WEB_PAGE_WORDS_H

#include "upload/web/page_table.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* From what counts least to what counts most. */
enum page_says {
    PAGE_SAYS_NOTHING,
    PAGE_SAYS_YES,
    PAGE_SAYS_MAYBE, /* it speaks of the result, but does not say yes */
    PAGE_SAYS_NO,
};

/* The first of the page's words of failure that text contains, in any case; NULL: none. */
const char *page_find_failure(const struct page *page, const char *text);

/* What a text says, without tags. It says yes by a word of success, or of a restart, if nothing in
 * it denies, or tells of trouble; no by a word such as "rejected", or an error of the updater,
 * without a word of success. Requests ("do not power off") and conditions deny nothing. */
enum page_says page_text_says(const char *text);

/* How many words in the text are for a success, a restart or a failure. */
size_t page_count_verdicts(const char *text);

/* The JSON that the body is, perhaps behind a byte order mark; NULL: it is none. */
json_t *page_load_json(const char *body);

/* Whether the body begins like JSON; if it is none, it breaks off, or is damaged. */
bool page_begins_json(const char *body);

/* What JSON says in reply to a request with this status; it is not "nothing". Each member for the
 * result has to say yes, wherever it is, and no other one may take that back; without one, any text
 * may say it. */
enum page_says page_json_says(const struct page *page, json_t *root, unsigned status);

#endif
