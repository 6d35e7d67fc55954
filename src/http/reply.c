/* reply.c: a tolerant parser of HTTP reply heads, and a bounded body. */
#include "http/reply.h"

#include "base/text.h"

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

static bool is_header(const char *line, size_t length, const char *name)
{
    return length == strlen(name) && strncasecmp(line, name, length) == 0;
}

static void set_length(struct http_reply *reply, const char *value, size_t length)
{
    char text[HTTP_TEXT_MAX];
    const char *end;

    copy_value(text, value, length);
    reply->has_length = parse_decimal(text, UINT32_MAX, &reply->content_length, &end) && !*end;
}

static void set_header(struct http_reply *reply, const char *name, size_t name_length,
                       const char *value, size_t length)
{
    const struct {
        const char *name;
        char *target;
    } kept[] = {{"Server", reply->server},
                {"Location", reply->location},
                {"X-Frame-Options", reply->frame_options},
                {"Accept-Ranges", reply->accept_ranges}};

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (is_header(name, name_length, kept[i].name))
            copy_value(kept[i].target, value, length);
    if (is_header(name, name_length, "WWW-Authenticate"))
        challenge_add(&reply->challenge, value, length);
    if (is_header(name, name_length, "Content-Length"))
        set_length(reply, value, length);
    if (is_header(name, name_length, "Transfer-Encoding"))
        reply->is_chunked = true;
    if (is_header(name, name_length, "Content-Encoding"))
        reply->is_encoded = true;
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
        http_reply_clear(reply);
        memset(reply, 0, sizeof *reply);
        reply->status = status;
        return;
    }
    if (!reply->status || reply->has_head)
        return;
    if (is_line_end(line, length))
        reply->has_head = true;
    if (!colon)
        return;

    const char *value = colon + 1, *end = line + length;
    while (value < end && is_blank(*value))
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    set_header(reply, line, (size_t)(colon - line), value, (size_t)(end - value));
}

bool http_reply_add_body(struct http_reply *reply, const void *data, size_t length)
{
    size_t room = HTTP_BODY_MAX - reply->body_length;

    if (length > room) {
        length = room;
        reply->is_cut = true;
    }
    if (!reply->body)
        reply->body = malloc(HTTP_BODY_MAX + 1); /* pages that are not used cost nothing */
    if (!reply->body)
        return false;

    const char *bytes = data;
    char *part = reply->body + reply->body_length;
    for (size_t i = 0; i < length; i++) {
        part[i] = bytes[i];
        if (part[i] == '\0')
            part[i] = ' ';
    }
    reply->body_length += length;
    reply->body[reply->body_length] = '\0';
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

bool http_reply_is_whole(const struct http_reply *reply)
{
    bool has_all = reply->has_length && !reply->is_encoded && !reply->is_chunked &&
                   reply->body_length >= reply->content_length;

    return http_reply_is_final(reply) && !reply->is_cut && (reply->has_ended || has_all);
}

bool http_reply_falls_short(const struct http_reply *reply)
{
    bool is_marked = reply->is_chunked || reply->has_length;

    return !http_reply_is_final(reply) || reply->is_cut ||
           (is_marked && !http_reply_is_whole(reply));
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
    reply->body_length = 0;
}
