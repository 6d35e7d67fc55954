/*
 * reply.h: the reply of a web server, as far as uploads need it. Pure. Every byte of it is treated
 * as hostile: bounded, and not escaped yet.
 */
#ifndef ESP_OTA_HTTP_REPLY_H
#define ESP_OTA_HTTP_REPLY_H

#include "http/challenge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_BODY_MAX = 64 * 1024, HTTP_TEXT_MAX = 128 };

/* What a header decides. */
enum http_header {
    HTTP_HEADER_OTHER,
    HTTP_HEADER_TARGET,    /* where it leads: Location, Refresh */
    HTTP_HEADER_CHALLENGE, /* WWW-Authenticate */
    HTTP_HEADER_LENGTH,    /* where its body ends: Content-Length, Transfer-Encoding */
};

/* Starts as {0}, or {.is_tls = true}. */
struct http_reply {
    bool is_tls;     /* it comes over TLS */
    unsigned status; /* 0: no status line has come */
    char server[HTTP_TEXT_MAX];
    bool has_location, has_refresh; /* such headers */
    char location[HTTP_TEXT_MAX];
    char refresh[HTTP_TEXT_MAX]; /* where it leads, "/" of "5; url=/"; "": it stays, as "10" does */
    char accept_ranges[HTTP_TEXT_MAX];
    struct challenge challenge;
    enum http_header last_header; /* which may go on */
    char *body;                   /* owned; terminated; NULL: none */
    size_t body_length;
    size_t received; /* bytes of the body, before NULs were left out */
    bool has_head;   /* to its end: the empty line has come */
    bool is_cut;     /* the body had more than HTTP_BODY_MAX bytes */
    bool has_ended;  /* libcurl saw the end of the reply, or of the connection */
    bool has_length; /* Content-Length, in content_length */
    uint64_t content_length;
    bool is_chunked; /* Transfer-Encoding: the end of the body is marked */
    bool is_encoded; /* Content-Encoding: content_length is that of other bytes than the body's */
    bool has_unclear_end;    /* the head says where the body ends, but not clearly */
    bool has_unclear_target; /* location or refresh may not be what others read */
};

/* Adds one line of the head, or a trailer, with or without its line end. A status line starts the
 * reply again, as a final reply may follow a 1xx, but nothing follows a whole final head. Names
 * match in any case; of a repeated header the last one counts, but every WWW-Authenticate. Values
 * that do not fit are cut. Of a header that goes on in another line (folded, RFC 9112, 5.2), only
 * the first one is read, and what it decides is unclear. So is where the reply leads if Location or
 * Refresh is cut, has a control character, or comes twice with different values. */
void http_reply_add_line(struct http_reply *reply, const char *line, size_t length);

/* Appends bytes to the body, without NULs, which would hide words from searches: those that follow,
 * and those in UTF-16. Returns false when memory ran out, or the body is full: it is cut then
 * (is_cut), and needs no more bytes. */
bool http_reply_add_body(struct http_reply *reply, const void *data, size_t length);

/* Parses all that was read, head and body, before the connection broke. It undoes no transfer
 * coding. Returns whether it has a final status line and a complete head. */
bool http_reply_parse(struct http_reply *reply, const char *data, size_t length);

/* Whether there is a final status, and the head came to its end. A reply that broke off before it
 * is none: the headers and the words that would have followed may say the opposite. */
bool http_reply_is_final(const struct http_reply *reply);

/* Whether its status is a redirection, with or without a Location. */
bool http_reply_is_redirection(const struct http_reply *reply);

/* Whether all of it came: the head, and the body to the end that the head marks (Content-Length,
 * the last chunk), or, if it marks none, to that of the connection. The latter proves nothing over
 * TLS or of a compressed body. */
bool http_reply_is_whole(const struct http_reply *reply);

/* Whether something is known to be missing: the end of the head, bytes of the body that the head
 * announces, or those that the limit cut off; or the head contradicts itself, or is that of a
 * part. */
bool http_reply_falls_short(const struct http_reply *reply);

/* Whether it falls short for another reason than our limit, as when the connection ended, or the
 * time was over, before the end of the body that the head announces. */
bool http_reply_broke_off(const struct http_reply *reply);

/* Whether more may belong to it: it falls short, or nothing can show that it does not. Of a body
 * that the end of the connection would end, and that end did not come, neither this nor
 * http_reply_is_whole() holds. */
bool http_reply_may_be_cut(const struct http_reply *reply);

/* The body as text; "" if there is none. */
const char *http_reply_text(const struct http_reply *reply);

/* Frees the body. */
void http_reply_clear(struct http_reply *reply);

#endif
