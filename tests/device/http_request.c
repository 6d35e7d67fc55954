/* Reads a request's first line and those headers that boards look at. */
#include "http_request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void copy(char *to, size_t room, const char *from, size_t length)
{
    if (length >= room)
        length = room - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

static bool read_first_line(struct http_request *request, const char *line, size_t length)
{
    const char *end = line + length;
    const char *target = memchr(line, ' ', length);
    const char *version = target ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;
    if (!version || end - version < 9 || strncmp(version + 1, "HTTP/1.", 7) != 0)
        return false;

    const char *query = memchr(target, '?', (size_t)(version - target));
    const char *path_end = query ? query : version;
    copy(request->method, sizeof request->method, line, (size_t)(target - line));
    copy(request->path, sizeof request->path, target + 1, (size_t)(path_end - target - 1));
    if (query)
        copy(request->query, sizeof request->query, query + 1, (size_t)(version - query - 1));
    request->is_1_0 = version[8] == '0';
    request->keeps_alive = !request->is_1_0;
    return true;
}

static void read_header(struct http_request *request, const char *name, const char *value)
{
    const struct {
        const char *name;
        char *value;
    } kept[] = {
        {"Host", request->host},
        {"Origin", request->origin},
        {"Referer", request->referer},
        {"Authorization", request->authorization},
        {"Content-Type", request->content_type},
    };

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (strcasecmp(name, kept[i].name) == 0)
            copy(kept[i].value, HEAD_VALUE, value, strlen(value));

    if (strcasecmp(name, "Content-Length") == 0 && isdigit((unsigned char)*value)) {
        request->has_length = true;
        request->length = strtoull(value, NULL, 10);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        request->is_chunked = strcasecmp(value, "chunked") == 0;
    } else if (strcasecmp(name, "Expect") == 0) {
        request->expects = strcasecmp(value, "100-continue") == 0;
    } else if (strcasecmp(name, "Connection") == 0) {
        request->keeps_alive = strcasecmp(value, "close") != 0 && !request->is_1_0;
    }
}

static void read_header_line(struct http_request *request, const char *line, size_t length)
{
    char text[2 * HEAD_VALUE];
    copy(text, sizeof text, line, length);

    char *value = strchr(text, ':');
    if (!value)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    read_header(request, text, value);
}

bool http_request_read(struct http_request *request, const char *head, size_t length)
{
    const char *end = head + length;
    bool first = true;

    memset(request, 0, sizeof *request);
    while (head < end) {
        const char *line_end = memmem(head, (size_t)(end - head), "\r\n", 2);
        if (!line_end)
            line_end = end;
        if (first && !read_first_line(request, head, (size_t)(line_end - head)))
            return false;
        if (!first)
            read_header_line(request, head, (size_t)(line_end - head));
        first = false;
        head = line_end + 2;
    }
    return !first;
}

static int hex_digit(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void resolve(char *to, size_t room, const char *from, size_t length)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used + 1 < room; i++) {
        char byte = from[i];
        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%' && i + 2 < length) {
            int high = hex_digit(from[i + 1]), low = hex_digit(from[i + 2]);
            if (high >= 0 && low >= 0) {
                byte = (char)(high * 16 + low);
                i += 2;
            }
        }
        to[used++] = byte;
    }
    to[used] = '\0';
}

bool http_request_parameter(const struct http_request *request, const char *name, char *value,
                            size_t room)
{
    size_t name_length = strlen(name);

    for (const char *at = request->query; *at;) {
        size_t length = strcspn(at, "&");
        if (strncmp(at, name, name_length) == 0 && at[name_length] == '=') {
            resolve(value, room, at + name_length + 1, length - name_length - 1);
            return true;
        }
        at += length + (at[length] == '&');
    }
    return false;
}
