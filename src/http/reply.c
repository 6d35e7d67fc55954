/* reply.c: a tolerant parser of HTTP reply heads, and a bounded body. */
#include "http/reply.h"

#include "base/text.h"
#include "http/status.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "HTTP/1.1 200 OK", "HTTP/1.0 200". Returns 0 for anything else. */
static unsigned parse_status_line(const char *line, size_t length)
{
    static const char start[] = "HTTP/";
    char text[32];
    const char *end;
    uint64_t status;

    if (length < sizeof start || strncasecmp(line, start, sizeof start - 1) != 0)
        return 0;
    if (length >= sizeof text)
        length = sizeof text - 1;
    memcpy(text, line, length);
    text[length] = '\0';

    const char *number = strchr(text, ' ');
    if (!number)
        return 0;
    number += strspn(number, " ");
    if (!parse_decimal(number, 999, &status, &end) || end - number != 3 || status < 100)
        return 0;
    return (unsigned)status;
}

static void copy_value(char target[HTTP_TEXT_MAX], const char *value, size_t length)
{
    if (length >= HTTP_TEXT_MAX)
        length = HTTP_TEXT_MAX - 1;
    memcpy(target, value, length);
    target[length] = '\0';
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

/* A second length may only say the same. */
static void set_length(struct http_reply *reply, const char *value, size_t length)
{
    char text[HTTP_TEXT_MAX];
    const char *end;
    uint64_t number;

    copy_value(text, value, length);
    if (length >= HTTP_TEXT_MAX || !parse_decimal(text, UINT32_MAX, &number, &end) || *end ||
        (reply->has_length && number != reply->content_length)) {
        reply->has_unclear_end = true;
        return;
    }
    reply->has_length = true;
    reply->content_length = number;
}

/* Browsers leave out tabs and line ends, and end a value at a NUL. */
static bool has_control_character(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
            return true;
    return false;
}

static const char *skip(const char *at, const char *end, const char *characters)
{
    while (at < end && *at && strchr(characters, *at))
        at++;
    return at;
}

/* Where a Refresh leads, nearly as HTML says ("shared declarative refresh steps"): "5; url = '/'"
 * to "/". If more follows the second quote, all counts, quotes and all. Changes *length to that of
 * the URL. */
static const char *find_refresh_target(const char *value, size_t *length)
{
    const char *end = value + *length;
    const char *at = skip(skip(value, end, "0123456789."), end, " ");

    if (at < end && (*at == ';' || *at == ','))
        at = skip(at + 1, end, " ");
    if (end - at > 3 && strncasecmp(at, "url", 3) == 0) {
        const char *equals = skip(at + 3, end, " ");
        if (equals < end && *equals == '=')
            at = skip(equals + 1, end, " ");
    }
    if (end - at >= 2 && (*at == '"' || *at == '\'') &&
        memchr(at + 1, *at, (size_t)(end - at) - 1) == end - 1) {
        at++;
        end--;
    }
    *length = (size_t)(end - at);
    return at;
}

/* A second one may only say the same. */
static void set_target(struct http_reply *reply, bool *is_set, char target[HTTP_TEXT_MAX],
                       const char *value, size_t length)
{
    const bool is_other =
        *is_set && (strlen(target) != length || memcmp(target, value, length) != 0);

    if (is_other || length >= HTTP_TEXT_MAX || has_control_character(value, length))
        reply->has_unclear_target = true;
    copy_value(target, value, length);
    *is_set = true;
}

/* Returns which header it is. */
static enum http_header set_header(struct http_reply *reply, const char *name, size_t name_length,
                                   const char *value, size_t length)
{
    if (is_word(name, name_length, "Location")) {
        set_target(reply, &reply->has_location, reply->location, value, length);
        return HTTP_HEADER_TARGET;
    }
    if (is_word(name, name_length, "Refresh")) {
        value = find_refresh_target(value, &length);
        set_target(reply, &reply->has_refresh, reply->refresh, value, length);
        return HTTP_HEADER_TARGET;
    }
    if (is_word(name, name_length, "WWW-Authenticate")) {
        challenge_add(&reply->challenge, value, length);
        return HTTP_HEADER_CHALLENGE;
    }
    if (is_word(name, name_length, "Content-Length")) {
        set_length(reply, value, length);
        return HTTP_HEADER_LENGTH;
    }
    if (is_word(name, name_length, "Transfer-Encoding")) {
        reply->is_chunked = true;
        reply->has_unclear_end |= !is_word(value, length, "chunked");
        return HTTP_HEADER_LENGTH;
    }
    if (is_word(name, name_length, "Server"))
        copy_value(reply->server, value, length);
    if (is_word(name, name_length, "Accept-Ranges"))
        copy_value(reply->accept_ranges, value, length);
    reply->is_encoded |= is_word(name, name_length, "Content-Encoding");
    return HTTP_HEADER_OTHER;
}

/* The last header goes on in a line that is not read. */
static void note_folded(struct http_reply *reply)
{
    switch (reply->last_header) {
    case HTTP_HEADER_TARGET:
        reply->has_unclear_target = true;
        break;
    case HTTP_HEADER_CHALLENGE:
        challenge_add_folded(&reply->challenge);
        break;
    case HTTP_HEADER_LENGTH:
        reply->has_unclear_end = true;
        break;
    case HTTP_HEADER_OTHER:
        break;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether the line has nothing but its end. */
static bool is_line_end(const char *line, size_t length)
{
    return length == 0 || (length == 1 && (*line == '\r' || *line == '\n')) ||
           (length == 2 && memcmp(line, "\r\n", 2) == 0);
}

void http_reply_add_line(struct http_reply *reply, const char *line, size_t length)
{
    unsigned status = parse_status_line(line, length);
    const char *colon = length ? memchr(line, ':', length) : NULL;

    if (http_reply_is_final(reply))
        return;
    if (status) {
        const bool is_tls = reply->is_tls;
        http_reply_clear(reply);
        memset(reply, 0, sizeof *reply);
        reply->is_tls = is_tls;
        reply->status = status;
        return;
    }
    if (!reply->status || reply->has_head)
        return;
    if (is_line_end(line, length))
        reply->has_head = true;
    if (length > 0 && (*line == ' ' || *line == '\t')) {
        note_folded(reply);
        return;
    }
    reply->last_header = HTTP_HEADER_OTHER;
    if (!colon)
        return;

    const char *name_end = colon, *value = colon + 1, *end = line + length;
    while (name_end > line && is_blank(name_end[-1]))
        name_end--;
    while (value < end && is_blank(*value))
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    reply->last_header =
        set_header(reply, line, (size_t)(name_end - line), value, (size_t)(end - value));
    /* libcurl does not know a header with blanks before its colon. */
    if (name_end < colon && reply->last_header == HTTP_HEADER_LENGTH)
        reply->has_unclear_end = true;
}

bool http_reply_add_body(struct http_reply *reply, const void *data, size_t length)
{
    size_t room = HTTP_BODY_MAX - reply->received;

    if (length > room) {
        length = room;
        reply->is_cut = true;
    }
    if (!reply->body)
        reply->body = malloc(HTTP_BODY_MAX + 1); /* pages that are not used cost nothing */
    if (!reply->body)
        return false;

    const char *bytes = data;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != '\0')
            reply->body[reply->body_length++] = bytes[i];
    reply->body[reply->body_length] = '\0';
    reply->received += length;
    return !reply->is_cut;
}

bool http_reply_parse(struct http_reply *reply, const char *data, size_t length)
{
    const char *end = data + length;

    for (const char *line = data; line < end;) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        if (!line_end)
            return false;

        http_reply_add_line(reply, line, (size_t)(line_end - line));
        if (http_reply_is_final(reply)) {
            http_reply_add_body(reply, line_end + 1, (size_t)(end - line_end - 1));
            return true;
        }
        line = line_end + 1;
    }
    return false;
}

bool http_reply_is_final(const struct http_reply *reply)
{
    return reply->status >= 200 && reply->has_head;
}

bool http_reply_is_redirection(const struct http_reply *reply)
{
    return reply->status / 100 == 3;
}

/* Whether a part of the reply is missing, or the head does not say clearly where it ends. */
static bool is_part(const struct http_reply *reply)
{
    return !http_reply_is_final(reply) || reply->is_cut || reply->has_unclear_end ||
           reply->status == STATUS_PART;
}

static bool has_marked_end(const struct http_reply *reply)
{
    return reply->is_chunked || reply->has_length;
}

/* Whether the end of the connection proves that of the body. Over TLS, anybody in between can cut
 * off the rest, and libcurl does not say whether it was the peer that closed (RFC 9112, 9.8); nor
 * does libcurl say whether compressed data came to their end. */
static bool ends_with_connection(const struct http_reply *reply)
{
    return !has_marked_end(reply) && !reply->is_tls && !reply->is_encoded;
}

bool http_reply_is_whole(const struct http_reply *reply)
{
    if (is_part(reply))
        return false;
    if (reply->status == STATUS_NO_CONTENT ||
        reply->status == STATUS_UNCHANGED) /* these have no body */
        return true;
    if (reply->has_length && !reply->is_chunked && !reply->is_encoded)
        return reply->received >= reply->content_length;
    return reply->has_ended && (has_marked_end(reply) || ends_with_connection(reply));
}

bool http_reply_falls_short(const struct http_reply *reply)
{
    return is_part(reply) || (has_marked_end(reply) && !http_reply_is_whole(reply));
}

bool http_reply_may_be_cut(const struct http_reply *reply)
{
    return is_part(reply) || (!http_reply_is_whole(reply) && !ends_with_connection(reply));
}

bool http_reply_broke_off(const struct http_reply *reply)
{
    return !reply->is_cut && http_reply_falls_short(reply);
}

const char *http_reply_text(const struct http_reply *reply)
{
    return reply->body ? reply->body : "";
}

void http_reply_clear(struct http_reply *reply)
{
    free(reply->body);
    reply->body = NULL;
    reply->body_length = reply->received = 0;
}
