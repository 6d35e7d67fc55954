/* page_verdict.c: compares a reply with the words of its page. */
#include "upload/web/page_verdict.h"

#include "base/json_memory.h"
#include "http/status.h"

#include <ctype.h>
#include <string.h>

static const char *find_words(const char *const words[PAGE_WORDS_MAX], const char *text)
{
    for (size_t i = 0; i < PAGE_WORDS_MAX && words[i]; i++)
        if (strcasestr(text, words[i]))
            return words[i];
    return NULL;
}

static bool is_bare_ok(const struct http_reply *reply)
{
    static const char blanks[] = " \t\r\n";
    const char *text = http_reply_text(reply);

    text += strspn(text, blanks);
    return strncmp(text, "OK", 2) == 0 && text[2 + strspn(text + 2, blanks)] == '\0' &&
           !http_reply_may_be_cut(reply);
}

/* A bare "OK" must be the whole reply: many other words contain it, and "OK, but ..." may follow if
 * the reply broke off. */
static bool has_success(const struct page *page, const struct http_reply *reply)
{
    for (size_t i = 0; i < PAGE_WORDS_MAX && page->success[i]; i++)
        if (strcmp(page->success[i], "OK") == 0
                ? is_bare_ok(reply)
                : strcasestr(http_reply_text(reply), page->success[i]) != NULL)
            return true;
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
           (is_redirect && find_words(page->failure, reply->location)) ||
           (*refresh && !is_own_path(refresh)) || find_words(page->failure, refresh);
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

/* -- JSON, which hand-made pages answer in words of their own -- */

static bool is_one_of(const char *word, size_t length, const char *const words[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i]) == length && strncasecmp(word, words[i], length) == 0)
            return true;
    return false;
}

/* Whether the text has a word of success and none that speaks against it: "not complete" and
 * "incomplete" do not say so. */
static bool says_success(const char *text)
{
    static const char *const good[] = {
        "ok",           "true",      "success",  "successful", "done",      "complete",  "updated",
        "successfully", "completed", "finished", "uploaded",   "rebooting", "restarting"};
    static const char *const bad[] = {"no",      "not",     "never",    "without",  "rejected",
                                      "refused", "aborted", "canceled", "cancelled"};
    bool is_good = false;

    while (*text) {
        size_t length = 0;

        while (isalpha((unsigned char)text[length]))
            length++;
        if (is_one_of(text, length, bad, sizeof bad / sizeof *bad))
            return false;
        is_good = is_good || is_one_of(text, length, good, sizeof good / sizeof *good);
        text += length ? length : 1;
    }
    return is_good;
}

static bool is_no(const json_t *value)
{
    return json_is_false(value) ||
           (json_is_string(value) && strcasecmp(json_string_value(value), "false") == 0);
}

static bool is_yes(const json_t *value)
{
    return json_is_true(value) || json_integer_value(value) == 1 ||
           (json_is_string(value) && says_success(json_string_value(value)));
}

/* A member for the result decides; without one, any text may say it. */
static enum page_verdict judge_object(json_t *object)
{
    static const char *const results[] = {"success", "ok", "result", "status"};
    bool has_result = false, has_yes = false, says_yes = false;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if (!is_one_of(key, strlen(key), results, sizeof results / sizeof *results)) {
            says_yes |= json_is_string(value) && is_yes(value);
            continue;
        }
        if (is_no(value))
            return PAGE_REFUSED;
        has_result = true;
        has_yes |= is_yes(value);
    }
    return (has_result ? has_yes : says_yes) ? PAGE_ACCEPTED : PAGE_UNCLEAR;
}

/* The JSON object in the body, perhaps behind a byte order mark; NULL: there is none. */
static const char *find_json(const char *body)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (strncmp(body, mark, sizeof mark - 1) == 0)
        body += sizeof mark - 1;
    body += strspn(body, " \t\r\n");
    return *body == '{' ? body : NULL;
}

/* A JSON reply must say that the upload was a success: other than a text for people, it may well
 * say the contrary in a word or number of the sketch's own, as {"status":"2"}. */
static enum page_verdict judge_json(const char *text, size_t length)
{
    json_t *root = json_memory_load(text, length, 0, NULL);
    const enum page_verdict verdict = json_is_object(root) ? judge_object(root) : PAGE_UNCLEAR;

    json_decref(root);
    return verdict;
}

enum page_verdict page_judge(char text[PAGE_TEXT_MAX], const struct page *page,
                             const struct http_reply *reply)
{
    const char *body = http_reply_text(reply);
    const char *failure = find_words(page->failure, body), *json = find_json(body);

    page_text_from(text, PAGE_TEXT_MAX, body, reply->body_length, failure ? failure : "");
    if (!http_reply_is_final(reply))
        return PAGE_UNCLEAR;
    if (reply->status == STATUS_UNAUTHORIZED || reply->status == STATUS_FORBIDDEN)
        return page->writes_first ? PAGE_UNCLEAR : PAGE_UNAUTHORIZED;
    if (failure)
        return PAGE_REFUSED;
    if (leads_astray(page, reply))
        return PAGE_UNCLEAR;
    if (reply->status == page->success_status)
        return PAGE_ACCEPTED;
    if (reply->status < 400 && has_success(page, reply))
        return PAGE_ACCEPTED;
    if (page_is_absent(reply))
        return PAGE_ABSENT;
    if (reply->status >= 400 || (page->is_worded && http_reply_is_whole(reply) && *text))
        return PAGE_REFUSED;
    if (!page->is_generic || !http_reply_is_whole(reply))
        return PAGE_UNCLEAR;
    return json ? judge_json(json, reply->body_length - (size_t)(json - body)) : PAGE_ACCEPTED;
}
