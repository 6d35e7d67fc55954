/*
 * fuzz-page.c: any page gives printable texts, and a search that ends. The first byte chooses the
 * page of --page and the URL; the rest are replies, each ended by a NUL.
 */
#include "base/escape.h"
#include "require.h"
#include "upload/web/page_find.h"
#include "upload/web/page_verdict.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GETS_MAX = 6 };

/* Reads the next reply; an empty one at the end of the input. */
static void next_reply(struct http_reply *reply, const char **at, const char *end)
{
    const char *stop = *at < end ? memchr(*at, '\0', (size_t)(end - *at)) : NULL;
    size_t length = stop ? (size_t)(stop - *at) : (size_t)(end - *at);

    *reply = (struct http_reply){0};
    if (!http_reply_parse(reply, *at, length)) {
        http_reply_clear(reply);
        *reply = (struct http_reply){.status = 200, .has_head = true};
        http_reply_add_body(reply, *at, length);
    }
    *at = stop ? stop + 1 : end;
}

static void check_facts(const struct page_facts *facts)
{
    require(escape_is_printable(facts->version) && escape_is_printable(facts->hardware));
    require(strspn(facts->chips, "esprh0123456789c") == strlen(facts->chips));
}

/* Whether an accepted upload may lead there. */
static bool is_harmless(const char *target)
{
    return !strstr(target, "//") && !strpbrk(target, "\\\t\r\n") && !strcasestr(target, "login");
}

static void check_verdicts(const struct http_reply *reply)
{
    const bool is_redirect = reply->status / 100 == 3;
    const bool may_be_accepted = reply->status < 400 && reply->has_head &&
                                 !reply->has_unclear_target && is_harmless(reply->refresh) &&
                                 (!is_redirect || is_harmless(reply->location));
    char text[PAGE_TEXT_MAX];

    for (size_t i = 0; i < PAGE_COUNT; i++) {
        enum page_verdict verdict = page_judge(text, &pages[i], 0, reply);

        require(escape_is_printable(text));
        require(verdict != PAGE_ACCEPTED || may_be_accepted);
        require(verdict != PAGE_ACCEPTED || !is_redirect || reply->status == 302 ||
                reply->status == 303 || reply->status == pages[i].success_status);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data + 1, *end = (const char *)data + size;
    struct page_finder finder;
    unsigned gets = 0;

    if (size == 0)
        return 0;
    page_finder_start(&finder, data[0] % 16 < PAGE_COUNT ? &pages[data[0] % 16] : NULL,
                      data[0] & 16 ? "/own" : "", data[0] & 32 ? "field" : NULL);
    while (page_finder_path(&finder)) {
        struct http_reply reply;

        require(++gets <= GETS_MAX);
        next_reply(&reply, &at, end);
        check_verdicts(&reply);
        page_finder_take(&finder, &reply);
        http_reply_clear(&reply);
    }
    check_facts(&finder.facts);
    require(escape_is_printable(finder.found));
    require(!finder.page || finder.post[0]);
    return 0;
}
