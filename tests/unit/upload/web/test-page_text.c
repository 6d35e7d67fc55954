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

static void test_status(void **state)
{
    static const struct {
        unsigned status;
        const char *location, *text, *shown;
    } rows[] = {
        {404, "", "", "status 404"},
        {404, "/elsewhere", "", "status 404"},
        {500, "", "no \"room\"", "status 500, \"no \"room\"\""},
        {302, "", "", "status 302"},
        {303, "/login", "", "status 303, Location \"/login\""},
        {303, "/login", "Log in", "status 303, Location \"/login\", \"Log in\""},
        {302, "/login?user=admin&password=secret", "", "status 302, Location \"/login?...\""},
        {302, "https://portal.example/#token=secret", "",
         "status 302, Location \"https://portal.example/#...\""},
        {307, "http://admin:secret@portal.example/up", "",
         "status 307, Location \"http://admin:...@portal.example/up\""},
        {307, "http://admin:s?cret@portal.example/up", "",
         "status 307, Location \"http://admin:...@portal.example/up\""},
        {307, "//secret@portal.example/?", "",
         "status 307, Location \"//...@portal.example/?...\""},
        {302, "/\x1b[2J\n", "", "status 302, Location \"/\\x1b[2J\\n\""},
    };
    char text[PAGE_STATUS_MAX], location[PAGE_LOCATION_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {.status = rows[i].status};

        snprintf(reply.location, sizeof reply.location, "%s", rows[i].location);
        page_location_text(location, &reply);
        page_status_text(text, reply.status, location, rows[i].text);
        assert_string_equal(text, rows[i].shown);
    }
}

/* Of a Location that was cut before the end of its host, nobody knows what is the password. */
static void test_cut_location(void **state)
{
    static const char *const starts[][2] = {{"http://admin:", "http://..."},
                                            {"\x01//", "\\x01//..."}};
    struct http_reply reply = {.status = 302};
    char text[PAGE_LOCATION_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        memset(reply.location, 's', sizeof reply.location - 1);
        memcpy(reply.location, starts[i][0], strlen(starts[i][0]));
        assert_string_equal(page_location_text(text, &reply), starts[i][1]);
    }

    memset(reply.location, '\x01', sizeof reply.location - 1);
    memcpy(reply.location + 100, "//", 2);
    page_location_text(text, &reply);
    assert_true(strlen(text) < PAGE_LOCATION_MAX);
    assert_string_equal(text + strlen(text) - 3, "...");
    memset(reply.location, '\xff', sizeof reply.location - 1);
    memcpy(reply.location + 30, "?", 1);
    page_location_text(text, &reply);
    assert_string_equal(text + strlen(text) - 4, "?...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),        cmocka_unit_test(test_from),
        cmocka_unit_test(test_bound),        cmocka_unit_test(test_status),
        cmocka_unit_test(test_cut_location),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
