/* page_text.c: drops what a browser does not show. */
#include "upload/web/page_text.h"

#include "base/escape.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Writes as much as fits of what is shown, with single blanks; it may be length bytes and 2 more at
 * most. Returns its length. */
static size_t keep_shown(char *raw, size_t capacity, const char *body, size_t length)
{
    const char *at = body, *end = body + length;
    size_t count = 0;
    bool is_gap = false;

    while (length && at < end && count + 2 < capacity) {
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
    return count;
}

char *page_text(char *target, size_t capacity, const char *body, size_t length)
{
    char raw[RAW_MAX];

    return escape_text(target, capacity, raw, keep_shown(raw, sizeof raw, body, length));
}

char *page_text_shown(const char *body, size_t length)
{
    char *raw = malloc(length + 3);

    if (raw)
        raw[keep_shown(raw, length + 3, body, length)] = '\0';
    return raw;
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

/* Where the host of a URL begins, or the user before it; end if it has none. */
static size_t find_host(const char *url, size_t end)
{
    static const char slashes[] = "/\\";

    for (size_t i = 0; i < end; i++)
        if (url[i] == ':' || (i > 0 && strchr(slashes, url[i]) && strchr(slashes, url[i - 1])))
            return i + 1 + strspn(url + i + 1, slashes);
    return end;
}

/* Whether a part of a password may stand before the end, and its "@" behind that: in what follows,
 * or in what was cut off, unless a slash ends the host before any "@". */
static bool may_end_in_password(const char *url, size_t host, size_t end)
{
    if (host >= end)
        return false;

    const size_t stop = host + strcspn(url + host, "/\\@");
    const bool is_cut = strlen(url) >= HTTP_TEXT_MAX - 1;
    return strchr(url + end, '@') || (is_cut && (stop >= end || url[stop] == '@'));
}

static void show_url(char target[PAGE_LOCATION_MAX], const char *url)
{
    const size_t end = strcspn(url, "?#"), host = find_host(url, end);
    const bool is_hidden = may_end_in_password(url, host, end);
    const size_t shown = is_hidden ? host : end;
    char kept[HTTP_TEXT_MAX];

    memcpy(kept, url, shown);
    kept[shown] = '\0';
    escape_board(target, PAGE_LOCATION_MAX - sizeof "?...", kept);
    if (url[shown])
        text_append(target, PAGE_LOCATION_MAX, "%.*s...", is_hidden ? 0 : 1, url + shown);
}

void page_leads_text(struct page_leads *leads, const struct http_reply *reply)
{
    show_url(leads->location, http_reply_is_redirection(reply) ? reply->location : "");
    show_url(leads->refresh, reply->refresh);
}

void page_leads_append(char *target, size_t capacity, const char *location, const char *refresh)
{
    if (*location)
        text_append(target, capacity, ", Location \"%s\"", location);
    if (*refresh)
        text_append(target, capacity, ", Refresh \"%s\"", refresh);
}

char *page_status_text(char target[PAGE_STATUS_MAX], unsigned status, const char *location,
                       const char *refresh, const char *text)
{
    snprintf(target, PAGE_STATUS_MAX, "status %u", status);
    page_leads_append(target, PAGE_STATUS_MAX, location, refresh);
    if (*text)
        text_append(target, PAGE_STATUS_MAX, ", \"%s\"", text);
    return target;
}
