/* page_verdict.c: compares a reply with the words of its page. */
#include "upload/web/page_verdict.h"

#include <string.h>

static const char *find_words(const char *const words[PAGE_WORDS_MAX], const char *text)
{
    for (size_t i = 0; i < PAGE_WORDS_MAX && words[i]; i++)
        if (strcasestr(text, words[i]))
            return words[i];
    return NULL;
}

/* A bare "OK" must be the whole reply: many other words contain it. */
static const char *find_success(const struct page *page, const char *body)
{
    for (size_t i = 0; i < PAGE_WORDS_MAX && page->success[i]; i++) {
        const char *words = page->success[i];
        size_t blanks = strspn(body, " \t\r\n");
        size_t length = strlen(words);

        if (strcmp(words, "OK") != 0 && strcasestr(body, words))
            return words;
        if (strncmp(body + blanks, words, length) == 0 &&
            strspn(body + blanks + length, " \t\r\n") == strlen(body + blanks + length))
            return words;
    }
    return NULL;
}

/* Whether it is a path on the same server. The text before a colon may be a scheme, and browsers
 * take a backslash for a slash. */
static bool is_own_path(const char *location)
{
    return *location && !strstr(location, "//") && !strchr(location, '\\') &&
           strcspn(location, ":") >= strcspn(location, "?#");
}

/* Whether a reply without words of failure is what a hand-made page says after an upload. A redirect
 * to a path of its own is; 301, 307 and 308 mean that the upload belongs elsewhere, and so do other
 * hosts (as of a captive portal) and logins. */
static bool is_plain_answer(const struct http_reply *reply)
{
    bool leads_on = (reply->status == 302 || reply->status == 303) &&
                    is_own_path(reply->location) && !page_leads_to_login(reply);

    return reply->is_complete && (reply->status < 300 || leads_on);
}

bool page_leads_to_login(const struct http_reply *reply)
{
    return reply->status / 100 == 3 && strcasestr(reply->location, "login");
}

bool page_is_absent(const struct http_reply *reply)
{
    return reply->status == 404 || reply->status == 405;
}

enum page_verdict page_judge(char text[PAGE_TEXT_MAX], const struct page *page,
                             const struct http_reply *reply)
{
    const char *body = http_reply_text(reply);
    const char *failure = find_words(page->failure, body);

    page_text_from(text, PAGE_TEXT_MAX, body, reply->body_length, failure ? failure : "");
    if (reply->status == 401 || reply->status == 403)
        return page->writes_first ? PAGE_UNCLEAR : PAGE_UNAUTHORIZED;
    if (failure)
        return PAGE_REFUSED;
    if (reply->status == page->success_status && reply->has_head)
        return PAGE_ACCEPTED;
    if (reply->status < 400 && find_success(page, body))
        return PAGE_ACCEPTED;
    if (page_is_absent(reply))
        return PAGE_ABSENT;
    if (reply->status >= 400 || (page->is_worded && reply->is_complete && *text))
        return PAGE_REFUSED;
    return page->is_generic && is_plain_answer(reply) ? PAGE_ACCEPTED : PAGE_UNCLEAR;
}
