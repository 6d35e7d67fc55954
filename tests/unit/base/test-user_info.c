/* test-user_info.c: which part of a text with a URL is hidden. */
#include "base/user_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What is hidden in a text, and in what is meant as a board; "": nothing. */
static const struct {
    const char *text, *in_text, *in_board;
} rows[] = {
    {"", "", ""},
    {"lamp.local", "", ""},
    {"[fe80::7]:80", "", ""},
    {"/", "", ""},
    {"//", "", ""},
    {"@", "", ""},
    {"http://", "", ""},
    {"http://@", "", ""},
    {"http://lamp:80/update", "", ""},
    {"http://me:pw@lamp", "pw", "pw"},
    {"http://:pw@lamp", "pw", "pw"},
    {"http://me:@lamp", "", ""},
    {"http:/me:pw@lamp", "pw", "pw"},
    {"http//me:pw@lamp", "pw", "pw"},
    {"http:///me:pw@lamp", "pw", "pw"},
    {"//me:pw@lamp", "pw", "pw"},
    {"see http://me:pw@lamp", "pw", "pw"},
    {"http:\\\\me:pw@lamp", "pw", "pw"},
    {"\\\\me:pw@lamp", "pw", "pw"},
    {"/\\me:pw@lamp", "pw", "pw"},
    {"http:\\/token@lamp", "token", "token"},
    {"{\"url\":\"http:\\/\\/me:pw@lamp\"}", "pw", "pw"}, /* in JSON */
    {"x http://a:b@c http://d:e@f", "b@c http://d:e", "b@c http://d:e"},
    {"http://me:p/w@lamp/x", "p/w", "p/w"},
    {"http://me:p@w@lamp", "p@w", "p@w"},
    {"http://me@mail:pw@lamp", "pw", "pw"},
    {"http://me:...@lamp", "...", "..."},
    /* a user alone may be a token */
    {"http://token@lamp/fw.bin", "token", "token"},
    {"http://me%3Apw@lamp", "me%3Apw", "me%3Apw"},
    {"http://lamp/a@b", "", ""},
    {"see http://lamp, or write to me@lamp", "", ""},
    /* without slashes */
    {"me:pw@lamp", "", "pw"},
    {"me@lamp", "", ""},
    {"2026-01-01T10:30@attic.bin", "", "30"},
};

static void assert_hidden(const char *text, struct user_info hidden, const char *expected)
{
    assert_int_equal(hidden.length, strlen(expected));
    if (hidden.length > 0)
        assert_memory_equal(text + hidden.at, expected, hidden.length);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = rows[i].text;

        assert_hidden(text, user_info_in_text(text, strlen(text)), rows[i].in_text);
        assert_hidden(text, user_info_in_board(text), rows[i].in_board);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
