/*
 * page_text.h: the words of an HTML or plain text reply, for people. Pure.
 */
#ifndef ESP_OTA_UPLOAD_WEB_PAGE_TEXT_H
#define ESP_OTA_UPLOAD_WEB_PAGE_TEXT_H

#include <stddef.h>

enum { PAGE_TEXT_MAX = 320 };

/* Writes the text without tags, scripts and styles, with single blanks, escaped (base/escape.h) and
 * cut to fit into capacity bytes, at least 8. "" if there is none. Returns target. */
char *page_text(char *target, size_t capacity, const char *body, size_t length);

/* The same for the part from the first occurrence of words on, in any case; they may begin with the
 * end of a tag. The whole text if they do not occur. */
char *page_text_from(char *target, size_t capacity, const char *body, size_t length,
                     const char *words);

/* A status of HTTP, with page_text() of its reply if there is any: 'status 404, "Not found"'.
 * Returns target. */
enum { PAGE_STATUS_MAX = PAGE_TEXT_MAX + 32 };
char *page_status_text(char target[PAGE_STATUS_MAX], unsigned status, const char *text);

#endif
