/* page_text.c: drops what a browser does not show. */
#include "upload/web/page_text.h"

#include "base/escape.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { RAW_MAX = PAGE_TEXT_MAX / 2 };

static bool starts_with(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);

    return (size_t)(end - at) >= length && strncasecmp(at, word, length) == 0;
}

/* The first byte after the tag at `at`, and after what is between it and its end if that is not
 * shown. */
static const char *skip_tag(const char *at, const char *end)
{
    static const char *const hidden[][2] = {
        {"<script", "</script"}, {"<style", "</style"}, {"<title", "</title"}, {"<!--", "-->"}};

    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        if (!starts_with(at, end, hidden[i][0]))
            continue;
        while (at < end && !starts_with(at, end, hidden[i][1]))
            at++;
    }
    while (at < end && *at != '>')
        at++;
    return at < end ? at + 1 : end;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/* A "<" that begins no tag is text. */
static bool is_tag_start(const char *at, const char *end)
{
    if (*at != '<' || at + 1 == end)
        return false;
    return at[1] == '/' || at[1] == '!' || (at[1] >= 'a' && at[1] <= 'z') ||
           (at[1] >= 'A' && at[1] <= 'Z');
}

char *page_text(char *target, size_t capacity, const char *body, size_t length)
{
    const char *at = body, *end = body + length;
    char raw[RAW_MAX];
    size_t count = 0;
    bool is_gap = false;

    while (length && at < end && count + 2 < sizeof raw) {
        if (is_tag_start(at, end)) {
            at = skip_tag(at, end);
            is_gap = true;
            continue;
        }
        if (is_space(*at)) {
            is_gap = true;
        } else {
            if (is_gap && count)
                raw[count++] = ' ';
            is_gap = false;
            raw[count++] = *at;
        }
        at++;
    }
    return escape_text(target, capacity, raw, count);
}

char *page_text_from(char *target, size_t capacity, const char *body, size_t length,
                     const char *words)
{
    const size_t skipped = *words == '>'; /* the end of a tag */

    for (size_t i = 0; i < length; i++)
        if (starts_with(body + i, body + length, words))
            return page_text(target, capacity, body + i + skipped, length - i - skipped);
    return page_text(target, capacity, body, length);
}

/* Whether the host of a URL was cut off: a password may be in what was kept. */
static bool is_host_cut(const char *location)
{
    const char *slashes = strstr(location, "//");

    return slashes && !strpbrk(slashes + 2, "/?#") && strlen(location) >= HTTP_TEXT_MAX - 1;
}

char *page_location_text(char target[PAGE_LOCATION_MAX], const struct http_reply *reply)
{
    const char *location = http_reply_is_redirection(reply) ? reply->location : "";

    escape_string(target, PAGE_LOCATION_MAX, location);
    char *slashes = is_host_cut(location) ? strstr(target, "//") : NULL;
    char *end = slashes ? slashes + 1 : target + strcspn(target, "?#");
    if (*end)
        snprintf(end + 1, PAGE_LOCATION_MAX - (size_t)(end + 1 - target), "...");
    return target;
}

char *page_status_text(char target[PAGE_STATUS_MAX], unsigned status, const char *location,
                       const char *text)
{
    snprintf(target, PAGE_STATUS_MAX, "status %u", status);
    if (*location)
        text_append(target, PAGE_STATUS_MAX, ", Location \"%s\"", location);
    if (*text)
        text_append(target, PAGE_STATUS_MAX, ", \"%s\"", text);
    return target;
}
