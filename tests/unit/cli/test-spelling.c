/*
 * test-spelling.c: options with wrong dashes, and names of options in messages.
 */
#include "cli/spelling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct spelling_row {
    const char *text;
    const char *option; /* NULL: there is none */
};

static void check_rows(const struct spelling_row *rows, size_t count,
                       bool (*spell)(char spelled[SPELLING_MAX], const char *text))
{
    for (size_t i = 0; i < count; i++) {
        char buffer[SPELLING_MAX];
        bool is_option = spell(buffer, rows[i].text);

        assert_int_equal(is_option, rows[i].option != NULL);
        if (is_option)
            assert_string_equal(buffer, rows[i].option);
    }
}

static void test_correct(void **state)
{
    static const struct spelling_row rows[] = {
        {"-f", "-f"},         {"--file", "--file"},     {"-file", "--file"}, {"--file=x", "--file"},
        {"\u2013f", "-f"},    {"\u2014file", "--file"}, {"-fx", NULL},       {"--f", "--file"},
        {"--au=x", "--auth"}, {"-prog", NULL},          {"--host", NULL},    {"-", NULL},
        {"--", NULL},         {"file", NULL},           {"-1", NULL},        {"", NULL},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows, spelling_correct);
}

static void test_translate(void **state)
{
    static const struct spelling_row rows[] = {
        {"-host", "--ip"},       {"-HOST=x", "--ip"}, {"-password\x01x", "--auth"},
        {"-firmware", "--file"}, {"-hosty", NULL},    {"--host", NULL},
        {"host", NULL},          {"-", NULL},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows, spelling_translate);
}

static void test_spelling_name(void **state)
{
    char buffer[SPELLING_MAX];

    (void)state;
    assert_string_equal(spelling_name(buffer, "--auth=secret"), "--auth");
    assert_string_equal(spelling_name(buffer, "-a\x01"
                                              "2.0\x02"),
                        "-a");
    assert_string_equal(spelling_name(buffer, "--\x1b[m"), "--\\x1b[m");
}

static void test_long_dash(void **state)
{
    (void)state;
    assert_int_equal(spelling_long_dash("\u2013f"), 3);
    assert_int_equal(spelling_long_dash("\u2014"), 3);
    assert_int_equal(spelling_long_dash("-f"), 0);
    assert_int_equal(spelling_long_dash("\xe2\x80"), 0);
}

static void test_script(void **state)
{
    (void)state;
    assert_true(spelling_is_script("tools/espota.py"));
    assert_false(spelling_is_script(".py"));
    assert_false(spelling_is_script("espota.pyc"));
    assert_false(spelling_is_script("py"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_correct),       cmocka_unit_test(test_translate),
        cmocka_unit_test(test_spelling_name), cmocka_unit_test(test_long_dash),
        cmocka_unit_test(test_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
