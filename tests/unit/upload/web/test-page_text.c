/*
 * test-page_text.c: what a person reads of a reply.
 */
#include "upload/web/page_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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
    char text[PAGE_STATUS_MAX];

    (void)state;
    assert_string_equal(page_status_text(text, 404, ""), "status 404");
    assert_string_equal(page_status_text(text, 500, "no \"room\""), "status 500, \"no \"room\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_from),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
