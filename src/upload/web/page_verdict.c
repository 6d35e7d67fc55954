/* page_verdict.c: compares a reply with the words of its page. */
#include "upload/web/page_verdict.h"

#include "http/status.h"
#include "upload/web/form.h"
#include "upload/web/page_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A reply, and what it says in a sketch's own words. */
struct reading {
    const struct page *page;
    const struct http_reply *reply;
    const char *shown;   /* the text that a browser shows */
    bool is_upload_page; /* the page for uploads, again: only what it shows counts */
    bool is_json;
    enum page_says says;
    const char *failure; /* the page's words of failure in it; NULL: none */
    bool is_refusal;
};

/* Only a page that proves no more than receipt may also say it in words that are not its row's. */
static bool has_own_words(const struct page *page)
{
    return page->proof == PAGE_PROOF_RECEIVED;
}

static bool is_bare_ok(const struct http_reply *reply)
{
    static const char blanks[] = " \t\r\n";
    const char *text = http_reply_text(reply);

    text += strspn(text, blanks);
    return strncmp(text, "OK", 2) == 0 && text[2 + strspn(text + 2, blanks)] == '\0' &&
           !http_reply_may_be_cut(reply);
}

/* Whether the text has these words, and not as the end of a word: "unsuccessful" is no success. */
static bool has_words(const char *text, const char *words)
{
    for (const char *at = text; (at = strcasestr(at, words)); at++)
        if (at == text || !isalpha((unsigned char)*words) || !isalpha((unsigned char)at[-1]))
            return true;
    return false;
}

/* A bare "OK" must be the whole reply: many other words contain it, and "OK, but ..." may follow if
 * the reply broke off. So may more than a single word of a sketch. Some pages have code instead of
 * words. */
static bool has_success(const struct reading *reading)
{
    const bool may_go_on = has_own_words(reading->page) && http_reply_may_be_cut(reading->reply);

    for (size_t i = 0; i < PAGE_WORDS_MAX && reading->page->success[i]; i++) {
        const char *words = reading->page->success[i];
        const bool is_code = strpbrk(words, "<=") && !reading->is_upload_page;

        if (may_go_on && !strchr(words, ' '))
            continue;

        if (strcmp(words, "OK") == 0
                ? is_bare_ok(reading->reply)
                : has_words(is_code ? http_reply_text(reading->reply) : reading->shown, words))
            return true;
    }
    return false;
}

/* Whether it is a path on the same server. The text before a colon may be a scheme, and browsers
 * take a backslash for a slash. A blank may be the end of a line that was folded. */
static bool is_own_path(const char *location)
{
    return *location && !strstr(location, "//") && !strpbrk(location, "\\ ") &&
           strcspn(location, ":") >= strcspn(location, "?#");
}

/* Whether a redirect is what a page may send after an upload: OTAWebUpdater leads to its page with
 * a status of its own, and hand-made pages lead to any path. 301, 307 and 308 mean that the upload
 * belongs elsewhere, as a proxy says. */
static bool is_fit_redirect(const struct page *page, const struct http_reply *reply)
{
    if (reply->status == page->success_status)
        return strcmp(reply->location, page->get) == 0;
    return (reply->status == STATUS_FOUND || reply->status == STATUS_SEE_OTHER) &&
           is_own_path(reply->location);
}

/* Whether the reply leads to where an upload that was taken does not lead: another host (as that of
 * a captive portal), a login; or to what may be an error. */
static bool leads_astray(const struct page *page, const struct http_reply *reply)
{
    const bool is_redirect = http_reply_is_redirection(reply);
    const char *refresh = reply->refresh;

    return reply->has_unclear_target || page_leads_to_login(reply) ||
           (is_redirect && !is_fit_redirect(page, reply)) ||
           (is_redirect && page_find_failure(page, reply->location)) ||
           (*refresh && !is_own_path(refresh)) || page_find_failure(page, refresh);
}

/* The body is not searched for a login: sketches that have one answer an upload with 401, or with
 * 302 or 303 (some without a Location, and <meta refresh> in the body), never with 200. A form for
 * a password may also follow a success, as that of a page with the Wi-Fi settings. */
bool page_leads_to_login(const struct http_reply *reply)
{
    return strcasestr(reply->refresh, "login") ||
           (http_reply_is_redirection(reply) && strcasestr(reply->location, "login"));
}

bool page_leads_elsewhere(const struct http_reply *reply)
{
    return http_reply_is_redirection(reply) &&
           (reply->has_unclear_target || (*reply->location && !is_own_path(reply->location)));
}

bool page_is_busy(unsigned status)
{
    return status == STATUS_TOO_MANY || status == STATUS_BUSY;
}

bool page_is_absent(const struct http_reply *reply)
{
    return reply->status == STATUS_NOT_FOUND || reply->status == STATUS_NOT_ALLOWED;
}

/* A board that answers with its upload page says nothing by that. */
static void hear(struct reading *reading)
{
    const struct page *page = reading->page;
    const char *body = http_reply_text(reading->reply);
    json_t *json = has_own_words(page) ? page_load_json(body) : NULL;

    if (json) {
        reading->is_json = true;
        reading->says = page_json_says(page, json, reading->reply->status);
        reading->is_refusal = reading->says == PAGE_SAYS_NO;
        json_decref(json);
        return;
    }
    reading->failure = page_find_failure(page, reading->is_upload_page ? reading->shown : body);
    reading->is_refusal = reading->failure != NULL;
    if (has_own_words(page))
        reading->says = page_begins_json(body) ? PAGE_SAYS_MAYBE : page_text_says(reading->shown);
}

static enum page_verdict judge(const struct reading *reading, const char *text)
{
    const struct page *page = reading->page;
    const struct http_reply *reply = reading->reply;

    if (!http_reply_is_final(reply))
        return PAGE_UNCLEAR;
    if (reply->status == STATUS_UNAUTHORIZED || reply->status == STATUS_FORBIDDEN)
        return page->writes_first ? PAGE_UNCLEAR : PAGE_UNAUTHORIZED;
    if (reading->is_refusal)
        return PAGE_REFUSED;
    if (leads_astray(page, reply))
        return PAGE_UNCLEAR;
    if (reply->status == page->success_status)
        return PAGE_ACCEPTED;
    if (page_is_absent(reply))
        return PAGE_ABSENT;
    if (reply->status >= 400)
        return PAGE_REFUSED;

    const bool is_whole = http_reply_is_whole(reply);
    const bool is_silent = reading->is_upload_page && reading->says == PAGE_SAYS_NOTHING;

    if (reading->says == PAGE_SAYS_NO && is_whole)
        return PAGE_REFUSED;
    if (reading->says > PAGE_SAYS_YES)
        return PAGE_UNCLEAR;
    if (reading->is_json ? is_whole : has_success(reading))
        return PAGE_ACCEPTED;
    if (reading->is_json || is_silent || !is_whole)
        return PAGE_UNCLEAR;
    if (page->is_worded && *text)
        return PAGE_REFUSED;
    return page->is_generic ? PAGE_ACCEPTED : PAGE_UNCLEAR;
}

enum page_verdict page_judge(char text[PAGE_TEXT_MAX], const struct page *page,
                             size_t verdicts_before, const struct http_reply *reply)
{
    const char *body = http_reply_text(reply);
    char *shown = page_text_shown(body, reply->body_length);
    struct reading reading = {.page = page, .reply = reply, .shown = shown};
    struct form_inputs inputs;

    *text = '\0';
    if (!shown)
        return PAGE_UNCLEAR;
    form_find_inputs(&inputs, body, reply->body_length);
    reading.is_upload_page = inputs.count > 0;
    if (reading.is_upload_page && page_count_verdicts(shown) <= verdicts_before)
        *shown = '\0';
    hear(&reading);
    page_text_from(text, PAGE_TEXT_MAX, body, reply->body_length,
                   reading.failure ? reading.failure : "");

    const enum page_verdict verdict = judge(&reading, text);
    free(shown);
    return verdict;
}
