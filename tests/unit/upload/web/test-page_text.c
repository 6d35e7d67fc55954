/*
 * test-page_text.c: what a person reads of a reply.
 */
#include "upload/web/page_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_texts(void **state)
{
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"<META http-equiv=\"refresh\" content=\"15;URL=/\">Update Success! Rebooting...",
         "Update Success! Rebooting..."},
        {"Update error: ERROR[4]: Not Enough Space\n", "Update error: ERROR[4]: Not Enough Space"},
        {"<html><head><title>T</title><style>a{}</style><script>if (a<b) x();</script></head>"
         "<body><h2>Update\nfailed!</h2><!-- <b>no</b> -->Reason</body>",
         "Update failed! Reason"},
        {"a < b", "a < b"},
        {"<script>never closed", ""},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"", ""},
    };
    char text[PAGE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(page_text(text, PAGE_TEXT_MAX, rows[i].body, strlen(rows[i].body)),
                            rows[i].text);
}

static void test_from(void **state)
{
    static const char body[] = "Menu <b>Update</b> Update error: x";
    char text[PAGE_TEXT_MAX];

    (void)state;
    assert_string_equal(page_text_from(text, PAGE_TEXT_MAX, body, strlen(body), "update ERROR"),
                        "Update error: x");
    assert_string_equal(page_text_from(text, PAGE_TEXT_MAX, body, strlen(body), "none"),
                        "Menu Update Update error: x");
}

static void test_bound(void **state)
{
    char body[2000], text[PAGE_TEXT_MAX];

    (void)state;
    memset(body, '\xff', sizeof body);
    page_text(text, PAGE_TEXT_MAX, body, sizeof body);
    assert_true(strlen(text) < PAGE_TEXT_MAX);
    assert_string_equal(text + strlen(text) - 3, "...");
}

static const char *show(char text[PAGE_STATUS_MAX], const struct http_reply *reply,
                        const char *words)
{
    struct page_leads leads;

    page_leads_text(&leads, reply);
    return page_status_text(text, reply->status, leads.location, leads.refresh, words);
}

static void test_status(void **state)
{
    static const struct {
        unsigned status;
        const char *location, *refresh, *text, *shown;
    } rows[] = {
        {404, "", "", "", "status 404"},
        {404, "/elsewhere", "", "", "status 404"},
        {500, "", "", "no \"room\"", "status 500, \"no \"room\"\""},
        {302, "", "", "", "status 302"},
        {303, "/login", "", "", "status 303, Location \"/login\""},
        {303, "/login", "", "Log in", "status 303, Location \"/login\", \"Log in\""},
        {200, "/", "/login", "ok", "status 200, Refresh \"/login\", \"ok\""},
        {302, "/", "/login?x", "", "status 302, Location \"/\", Refresh \"/login?...\""},
        {302, "/\x1b[2J\n", "", "", "status 302, Location \"/\\x1b[2J\\n\""},
    };
    char text[PAGE_STATUS_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {.status = rows[i].status};

        snprintf(reply.location, sizeof reply.location, "%s", rows[i].location);
        snprintf(reply.refresh, sizeof reply.refresh, "%s", rows[i].refresh);
        assert_string_equal(show(text, &reply, rows[i].text), rows[i].shown);
    }
}

/* Where a reply leads is shown without what may be a secret. */
static const char *show_url(struct page_leads *leads, const char *url)
{
    struct http_reply reply = {.status = 302};

    memcpy(reply.location, url, strlen(url));
    memcpy(reply.refresh, url, strlen(url));
    page_leads_text(leads, &reply);
    assert_string_equal(leads->location, leads->refresh);
    return leads->location;
}

static void test_secrets(void **state)
{
    static const char *const rows[][2] = {
        {"/login?user=admin&password=secret", "/login?..."},
        {"https://portal.example/#token=secret", "https://portal.example/#..."},
        {"http://admin:secret@portal.example/up", "http://admin:...@portal.example/up"},
        {"http://admin:s/cret@portal.example/up", "http://admin:...@portal.example/up"},
        {"//secret@portal.example/?", "//...@portal.example/?..."},
        {"http:\\\\admin:secret@portal.example/", "http:\\\\\\\\admin:...@portal.example/"},
        {"/\\admin:secret@portal.example/", "/\\\\admin:...@portal.example/"},
        {"\\\\secret@portal.example/", "\\\\\\\\...@portal.example/"},
        {"https:/secret@portal.example/", "https:/...@portal.example/"},
        {"https:admin:secret@portal.example/", "https:...@portal.example/"},
        {"https:secret@portal.example/", "https:...@portal.example/"},
        /* the query, or the rest of the password */
        {"http://admin:s?cret@portal.example/up", "http://..."},
        {"http:\\\\admin:s?cret@portal.example/up", "http:\\\\\\\\..."},
        {"http://portal.example:80/?mail=me@here&key=secret", "http://..."},
        {"/done:1?mail=me@here&key=secret", "/done:..."},
        {"/done?mail=me@here&key=secret", "/done?..."},
    };
    struct page_leads leads;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(show_url(&leads, rows[i][0]), rows[i][1]);
}

/* Of a URL that was cut before the end of its host, nobody knows what is the password. */
static void test_cut(void **state)
{
    static const char *const starts[][2] = {
        {"http://admin:", "http://..."},   {"\x01//", "\\x01//..."},
        {"http:\\admin:", "http:\\\\..."}, {"https:admin:", "https:..."},
        {"http://portal/", NULL},          {"/", NULL},
        {"http://m@uuu:", "http://..."},   {"http://admin:s?", "http://..."},
    };
    char url[HTTP_TEXT_MAX] = "";
    struct page_leads leads;

    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        memset(url, 's', sizeof url - 1);
        memcpy(url, starts[i][0], strlen(starts[i][0]));
        assert_string_equal(show_url(&leads, url), starts[i][1] ? starts[i][1] : url);
    }

    memset(url, '\x01', sizeof url - 1);
    memcpy(url + 100, "//", 2);
    show_url(&leads, url);
    assert_true(strlen(leads.location) < PAGE_LOCATION_MAX);
    assert_string_equal(leads.location + strlen(leads.location) - 3, "...");
    memset(url, '\xff', sizeof url - 1);
    memcpy(url + 30, "?", 1);
    show_url(&leads, url);
    assert_string_equal(leads.location + strlen(leads.location) - 4, "?...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),  cmocka_unit_test(test_from),    cmocka_unit_test(test_bound),
        cmocka_unit_test(test_status), cmocka_unit_test(test_secrets), cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
