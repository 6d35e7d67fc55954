/*
 * page_text.h: the words of an HTML or plain text reply, for people. Pure.
 */
#ifndef ESP_OTA_UPLOAD_WEB_PAGE_TEXT_H
#define ESP_OTA_UPLOAD_WEB_PAGE_TEXT_H

#include "http/reply.h"

#include <stddef.h>

enum { PAGE_TEXT_MAX = 320 };

/* Writes the text without tags, scripts and styles, with single blanks, escaped (base/escape.h) and
 * cut to fit into capacity bytes, at least 8. "" if there is none. Returns target. */
char *page_text(char *target, size_t capacity, const char *body, size_t length);

/* All of the text, neither escaped nor cut; free() it. NULL when memory ran out. */
char *page_text_shown(const char *body, size_t length);

/* The same as page_text() for the part from the first occurrence of words on, in any case; they may
 * begin with the end of a tag. The whole text if they do not occur. */
char *page_text_from(char *target, size_t capacity, const char *body, size_t length,
                     const char *words);

/* Where a reply leads, by its header Location, if it is a redirect, and by its Refresh: escaped and
 * cut to fit. The password in the URL and what follows "?" or "#" may be secrets, and are not
 * shown. "": there is no such header, or it leads nowhere. */
enum { PAGE_LOCATION_MAX = HTTP_TEXT_MAX + 64 };
struct page_leads {
    char location[PAGE_LOCATION_MAX], refresh[PAGE_LOCATION_MAX];
};
void page_leads_text(struct page_leads *leads, const struct http_reply *reply);

/* Appends those that are not "" to the string in target: ', Location "/login"'. */
void page_leads_append(char *target, size_t capacity, const char *location, const char *refresh);

/* A status of HTTP, with the page_leads_text() and page_text() of its reply unless they are "":
 * 'status 404, "Not found"', 'status 303, Location "/login"'. Returns target. */
enum { PAGE_STATUS_MAX = PAGE_TEXT_MAX + 2 * PAGE_LOCATION_MAX + 64 };
char *page_status_text(char target[PAGE_STATUS_MAX], unsigned status, const char *location,
                       const char *refresh, const char *text);

#endif
