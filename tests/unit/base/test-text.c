/* test-text.c: appending to a string, and reading a decimal number. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_append(void **state)
{
    char text[8] = "";

    (void)state;
    assert_true(text_append(text, sizeof text, "%d", 12));
    assert_string_equal(text, "12");
    assert_true(text_append(text, sizeof text, "%s", ""));
    assert_string_equal(text, "12");
    assert_true(text_append(text, sizeof text, "%s", "34567"));
    assert_string_equal(text, "1234567");
}

/* A string of capacity 8 takes 7 bytes; what follows byte 8 is another object. */
static void test_append_cut(void **state)
{
    char text[9] = "12\0xxxxxx";

    (void)state;
    assert_false(text_append(text, 8, "%s", "345678"));
    assert_string_equal(text, "1234567");
    assert_int_equal(text[8], 'x');

    /* A full string stays as it is. */
    assert_false(text_append(text, 8, "%s", "9"));
    assert_string_equal(text, "1234567");
    assert_true(text_append(text, 8, "%s", ""));
}

static void test_decimal(void **state)
{
    static const struct {
        const char *text;
        uint64_t limit;
        bool is_number;
        uint64_t number;
        size_t length; /* of the digits */
    } rows[] = {
        {"0", 0, true, 0, 1},
        {"007x", 7, true, 7, 3},
        {"65535", 65535, true, 65535, 5},
        {"65536 ", 65535, false, 0, 5},
        {"100", 9, false, 0, 3}, /* too large already at the second of three digits */
        {"109", 10, false, 0, 3},
        {"1", 0, false, 0, 1},
        {"8", 7, false, 0, 1},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX, 20},
        {"18446744073709551616", UINT64_MAX, false, 0, 20},
        {"99999999999999999999999", UINT64_MAX, false, 0, 23},
        {"", 9, false, 0, 0},
        {"-1", 9, false, 0, 0},
        {"+1", 9, false, 0, 0},
        {" 1", 9, false, 0, 0},
        {"x", 9, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint64_t untouched = 4711;
        uint64_t number = untouched;
        const char *end = NULL;

        assert_int_equal(parse_decimal(rows[i].text, rows[i].limit, &number, &end),
                         rows[i].is_number);
        assert_ptr_equal(end, rows[i].text + rows[i].length);
        assert_true(number == (rows[i].is_number ? rows[i].number : untouched));
    }
}

static void test_separator(void **state)
{
    static const char *const names[] = {"A", "B", "C", "D"};
    static const char *const lists[] = {"", "A", "A or B", "A, B or C", "A, B, C or D"};

    (void)state;
    for (size_t count = 0; count < sizeof lists / sizeof *lists; count++) {
        char list[32] = "";

        for (size_t i = 0; i < count; i++)
            text_append(list, sizeof list, "%s%s", text_separator(i, count, " or "), names[i]);
        assert_string_equal(list, lists[count]);
    }
}

static void test_url_path(void **state)
{
    static const struct {
        const char *path;
        bool is_path;
    } rows[] = {
        {"", true},           {"/up?x=1&y=a%20b#c", true},
        {"!~", true},         {"/a b", false},
        {"/a\"b", false},     {"/a\\b", false},
        {"/a\x7f", false},    {"/a\r\nb", false},
        {"/\xc3\xbc", false}, {"/a\t", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(text_is_url_path(rows[i].path), rows[i].is_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),   cmocka_unit_test(test_append_cut),
        cmocka_unit_test(test_decimal),  cmocka_unit_test(test_separator),
        cmocka_unit_test(test_url_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
