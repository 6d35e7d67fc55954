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

#endif
