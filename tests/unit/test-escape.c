/*
 * test-escape.c: nothing that comes out of escape_text() can do anything to a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "escape.h"

#include <stdlib.h>
#include <string.h>

/* Text that misleads is what is tested. NOLINTBEGIN(misc-misleading-bidirectional) */

/* Lengths are given, since NUL is a byte like any other. */
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *source;
    size_t length;
    const char *shown;
} rows[] = {
    {BYTES(""), ""},
    {BYTES("ERROR[4]: Not Enough Space"), "ERROR[4]: Not Enough Space"},
    {BYTES("K\xc3\xbc"
           "che \xe2\x82\xac \xf0\x9f\x92\xa1"),
     "K\xc3\xbc"
     "che \xe2\x82\xac \xf0\x9f\x92\xa1"},
    /* controls */
    {BYTES("a\nb\rc\td"), "a\\nb\\rc\\td"},
    {BYTES("\x1b[2J\x07"), "\\x1b[2J\\x07"},
    {BYTES("a\0b"), "a\\x00b"},
    {BYTES("\x7f"), "\\x7f"},
    {BYTES("\xc2\x9b"
           "2J"),
     "\\u009b2J"},
    {BYTES("C:\\x"), "C:\\\\x"},
    /* what rearranges text: overrides, isolates, marks, line separators, byte order mark */
    {BYTES("\xe2\x80\xae"
           "cod"),
     "\\u202ecod"},
    {BYTES("\xe2\x81\xa6\xe2\x81\xa9"), "\\u2066\\u2069"},
    {BYTES("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"), "\\u200e\\u200f\\u061c"},
    {BYTES("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029"},
    {BYTES("\xef\xbb\xbf"), "\\ufeff"},
    /* not UTF-8: stray and missing continuations, overlong forms, surrogates, too large */
    {BYTES("\x80"), "\\x80"},
    {BYTES("\xc3"), "\\xc3"},
    {BYTES("\xc3("), "\\xc3("},
    {BYTES("\xe2\x82"), "\\xe2\\x82"},
    {BYTES("\xc0\xaf"), "\\xc0\\xaf"},
    {BYTES("\xc1\xbf"), "\\xc1\\xbf"},
    {BYTES("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf"},
    {BYTES("\xf0\x8f\xbf\xbf"), "\\xf0\\x8f\\xbf\\xbf"},
    {BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
    {BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"},
    {BYTES("\xf4\x8f\xbf\xbd"), "\xf4\x8f\xbf\xbd"},
    {BYTES("\xf8\x90\x80\x80"), "\\xf8\\x90\\x80\\x80"},
    {BYTES("\xff\xfe"), "\\xff\\xfe"},
};

static void test_table(void **state)
{
    char shown[128];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_ptr_equal(escape_text(shown, sizeof shown, rows[i].source, rows[i].length), shown);
        assert_string_equal(shown, rows[i].shown);
    }
    assert_string_equal(escape_string(shown, sizeof shown, "a\nb"), "a\\nb");
}

static void test_what_does_not_fit_is_cut(void **state)
{
    static const struct {
        size_t capacity;
        const char *source;
        const char *shown;
    } cuts[] = {
        {8, "1234567", "1234567"},
        {8, "12345678", "1234..."},
        {8, "123456\n", "1234..."},
        {8, "123\n5678", "123..."},
        {8, "12345\n", "12345\\n"},
        {8, "\xe2\x80\xae", "\\u202e"},
        {8, "1\xe2\x80\xae", "1\\u202e"},
        {8, "12\xe2\x80\xae", "12..."},
        {8, "12\xf0\x9f\x92\xa1.", "12\xf0\x9f\x92\xa1."},
        {8, "12\xf0\x9f\x92\xa1..", "12..."},
        {9, "12\xf0\x9f\x92\xa1...", "12..."},
        {10, "12\xf0\x9f\x92\xa1....", "12\xf0\x9f\x92\xa1..."},
    };
    char shown[16];

    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        assert_string_equal(escape_string(shown, cuts[i].capacity, cuts[i].source), cuts[i].shown);
}

/* Arbitrary bytes at every capacity: bounded, printable, and cut at a border or complete. */
static void test_arbitrary_bytes(void **state)
{
    unsigned seed = 1;
    unsigned char source[12];
    char full[128];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof source; i++) {
            seed = seed * 1103515245U + 12345U;
            source[i] = (unsigned char)(seed >> 16);
        }
        escape_text(full, sizeof full, source, sizeof source);
        assert_true(escape_is_printable(full));
        for (size_t capacity = 8; capacity < 80; capacity += 7) {
            char *shown = malloc(capacity); /* its end is watched by ASan and valgrind */
            size_t length;

            assert_non_null(shown);
            length = strlen(escape_text(shown, capacity, source, sizeof source));
            assert_true(length < capacity);
            assert_true(escape_is_printable(shown));
            if (strcmp(shown, full) != 0) {
                assert_true(strlen(full) >= capacity);
                assert_string_equal(shown + length - 3, "...");
                assert_memory_equal(shown, full, length - 3);
            }
            free(shown);
        }
    }
}

static void test_a_line_keeps_tabs_and_backslashes(void **state)
{
    char shown[64];
    (void)state;
    assert_string_equal(escape_line(shown, sizeof shown, BYTES("a\tC:\\x\r\x1b[2J\0\xff.\n")),
                        "a\tC:\\x\\r\\x1b[2J\\x00\\xff.\\n");
    assert_string_equal(escape_line(shown, 8, BYTES("\t\\345678")), "\t\\34...");
    assert_string_equal(escape_line(shown, 6 * 3 + 1, BYTES("\xe2\x80\xae\xff\x1b\x7f")),
                        "\\u202e\\xff\\x1b\\x7f");
}

static void test_is_printable(void **state)
{
    (void)state;
    assert_true(escape_is_printable(""));
    assert_true(escape_is_printable("My Board: K\xc3\xbc"
                                    "che \\ 2"));
    assert_false(escape_is_printable("a\tb"));
    assert_false(escape_is_printable("a\x7f"));
    assert_false(escape_is_printable("\xc2\x85"));
    assert_false(escape_is_printable("a\xc3"));
    assert_false(escape_is_printable("\xe2\x80\xae"));
}

/* NOLINTEND(misc-misleading-bidirectional) */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_what_does_not_fit_is_cut),
        cmocka_unit_test(test_arbitrary_bytes),
        cmocka_unit_test(test_a_line_keeps_tabs_and_backslashes),
        cmocka_unit_test(test_is_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
