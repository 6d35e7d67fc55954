/*
 * test-escape.c: the output of escape_text() cannot affect a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/escape.h"
#include "base/unicode_table.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* These are tests of misleading text. NOLINTBEGIN(misc-misleading-bidirectional) */

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
    /* text that is rearranged: overrides, isolates, marks, line separators, byte order mark */
    {BYTES("\xe2\x80\xae"
           "cod"),
     "\\u202ecod"},
    {BYTES("\xe2\x81\xa6\xe2\x81\xa9"), "\\u2066\\u2069"},
    {BYTES("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"), "\\u200e\\u200f\\u061c"},
    {BYTES("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029"},
    {BYTES("\xef\xbb\xbf"), "\\ufeff"},
    /* without a glyph: soft hyphen, joiners, fillers, variation selectors, tags */
    {BYTES("a\xc2\xad"
           "b"),
     "a\\u00adb"},
    {BYTES("a\xe2\x80\x8b\xe2\x80\x8d\xe2\x81\xa0"), "a\\u200b\\u200d\\u2060"},
    {BYTES("a\xcd\x8f\xe1\xa0\x8e"), "a\\u034f\\u180e"},
    {BYTES("\xe1\x85\x9f\xe3\x85\xa4\xef\xbe\xa0"), "\\u115f\\u3164\\uffa0"},
    {BYTES("\xe2\x9d\xa4\xef\xb8\x8f"), "\xe2\x9d\xa4\\ufe0f"},
    {BYTES("a\xf3\xa0\x84\x80"), "a\\U000e0100"},
    {BYTES("a\xf3\xa0\x81\x81"), "a\\U000e0041"},
    {BYTES("a\xf0\x9d\x85\xb3"), "a\\U0001d173"},
    /* unusual spaces */
    {BYTES("a\xc2\xa0\xe2\x80\x83\xe2\xa0\x80"
           "b"),
     "a\\u00a0\\u2003\\u2800b"},
    {BYTES("a\xe3\x80\x80"
           "b"),
     "a\\u3000b"},
    /* letters, marks and symbols without a glyph: a null notehead, a filler of Khitan, joiners */
    {BYTES("a\U0001d159\u2d7f\U0001107f\ufffc"), "a\\U0001d159\\u2d7f\\U0001107f\\ufffc"},
    {BYTES("a\U00016fe4"), "a\\U00016fe4"},
    /* unknown to Unicode 14: newer marks, controls of hieroglyphs, unassigned code points */
    {BYTES("a\U0001e08f\U00010efd"), "a\\U0001e08f\\U00010efd"},
    {BYTES("\U00013439\U00013440\U0001345f"), "\\U00013439\\U00013440\\U0001345f"},
    {BYTES("\u0378\u2fe0\U0001fae8\U000e0fff"), "\\u0378\\u2fe0\\U0001fae8\\U000e0fff"},
    /* parts of Hangul syllables: where they join one, and a flood of them */
    {BYTES("\u1112\u1161\u11ab\u1100\u1173\u11af"), "\u1112\u1161\u11ab\u1100\u1173\u11af"},
    {BYTES("\uac00\u11a8"), "\uac00\u11a8"},
    {BYTES("a\u1161\u11a8"), "a\\u1161\\u11a8"},
    {BYTES("\u1161\u11a8"), "\\u1161\\u11a8"},
    {BYTES("\u1112\u1161\u1161\u11ab"), "\u1112\u1161\\u1161\\u11ab"},
    {BYTES("\ud55c\u11ab"), "\ud55c\\u11ab"},
    {BYTES("\uac00\u1161\ud7b0\ud7cb"), "\uac00\\u1161\\ud7b0\\ud7cb"},
    {BYTES("\ua960\ud7b0\ud7cb\ud7fb"), "\ua960\ud7b0\ud7cb\\ud7fb"},
    {BYTES("\u1100\u0301\u1161"), "\u1100\u0301\\u1161"},
    /* private use and noncharacters */
    {BYTES("\xee\x80\x80\xef\xb7\x90\xf4\x8f\xbf\xbf"), "\\ue000\\ufdd0\\U0010ffff"},
    /* combining marks: on a character, on nothing, and a flood of them */
    {BYTES("e\xcc\x81"), "e\xcc\x81"},
    {BYTES("\xcc\x81"
           "e"),
     "\\u0301e"},
    {BYTES("\n\xcc\x81"), "\\n\\u0301"},
    {BYTES("\xff\xcc\x81"), "\\xff\\u0301"},
    {BYTES("a\xe2\x80\x8b\xcc\x81"), "a\\u200b\\u0301"},
    {BYTES("e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86z\xcc\x81"),
     "e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\\u0305\\u0306z\xcc\x81"},
    /* ordinary names: Vietnamese (decomposed), Thai, Hindi, Korean, Hebrew with points */
    {BYTES("e\xcc\x82\xcc\xa3 \xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88 "
           "\xe0\xa4\x95\xe0\xa4\xbf\xe0\xa4\x82 \xed\x95\x9c \xd7\xa9\xd6\xbc\xd7\x81\xd6\xb8"),
     "e\xcc\x82\xcc\xa3 \xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88 "
     "\xe0\xa4\x95\xe0\xa4\xbf\xe0\xa4\x82 \xed\x95\x9c \xd7\xa9\xd6\xbc\xd7\x81\xd6\xb8"},
    /* the same, longer: living room in Korean (both forms), bedroom in Thai, kitchen in Hindi; with
     * joiners and variation selectors, emoji stay readable, but not whole */
    {BYTES("\uac70\uc2e4 \u1100\u1165\u1109\u1175\u11af"),
     "\uac70\uc2e4 \u1100\u1165\u1109\u1175\u11af"},
    {BYTES("\u0e2b\u0e49\u0e2d\u0e07\u0e19\u0e2d\u0e19"),
     "\u0e2b\u0e49\u0e2d\u0e07\u0e19\u0e2d\u0e19"},
    {BYTES("\u0930\u0938\u094b\u0908\u0918\u0930"), "\u0930\u0938\u094b\u0908\u0918\u0930"},
    {BYTES("\U0001f469\U0001f3fd\u200d\U0001f4bb \u2615\ufe0f \U0001f1e9\U0001f1ea"),
     "\U0001f469\U0001f3fd\\u200d\U0001f4bb \u2615\\ufe0f \U0001f1e9\U0001f1ea"},
    {BYTES("\u0915\u094d\u200d\u0937"), "\u0915\u094d\\u200d\u0937"},
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
    {BYTES("\xf0\x9f\xab\xb6"), "\xf0\x9f\xab\xb6"},
    {BYTES("\xf8\x90\x80\x80"), "\\xf8\\x90\\x80\\x80"},
    {BYTES("\xff\xfe"), "\\xff\\xfe"},
};

static void test_escape_table(void **state)
{
    char shown[128], reverted[128];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_ptr_equal(escape_text(shown, sizeof shown, rows[i].source, rows[i].length), shown);
        assert_string_equal(shown, rows[i].shown);
        /* A name that is shown can be typed. */
        const bool is_typed =
            escape_is_harmless(rows[i].source) && strlen(rows[i].source) == rows[i].length;
        memcpy(reverted, shown, strlen(shown) + 1);
        assert_string_equal(escape_revert(reverted), is_typed ? rows[i].source : shown);
    }
    assert_string_equal(escape_string(shown, sizeof shown, "a\nb"), "a\\nb");
}

/* A password in a URL is hidden, but for what a board logs. */
static void test_urls(void **state)
{
    static const struct {
        const char *source, *text, *board;
    } urls[] = {
        {"http://me:p\tw@lamp\n", "http://me:...@lamp\\n", "http://me:...@lamp\\n"},
        {"http://me:...@lamp", "http://me:...@lamp", "http://me:...@lamp"},
        {"https://token@ci/fw.bin", "https://...@ci/fw.bin", "https://...@ci/fw.bin"},
        {"me:pw@lamp", "me:pw@lamp", "me:...@lamp"},
        {"http://me:a-password-that-does-not-fit@lamp", "http://me:...@lamp", "http://me:...@lamp"},
    };
    char shown[64];

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        const char *source = urls[i].source;
        const size_t length = strlen(source);

        assert_string_equal(escape_string(shown, sizeof shown, source), urls[i].text);
        assert_string_equal(escape_pattern(shown, sizeof shown, source, length), urls[i].text);
        assert_string_equal(escape_board(shown, sizeof shown, source), urls[i].board);
        for (size_t capacity = 8; capacity < sizeof shown; capacity++) {
            memset(shown, 'x', sizeof shown);
            assert_true(strlen(escape_board(shown, capacity, source)) < capacity);
            assert_null(strstr(shown, "password"));
            assert_int_equal(shown[capacity], 'x');
        }
    }
    assert_string_equal(escape_line(shown, sizeof shown, "//a:b@c", 7), "//a:b@c");
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
            char *shown = malloc(capacity); /* ASan and valgrind watch its end */
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

static void test_a_pattern_keeps_backslashes(void **state)
{
    char shown[64];
    (void)state;
    assert_string_equal(escape_pattern(shown, sizeof shown, BYTES("a\tC:\\x\r\x1b[2J\0\xff.\n")),
                        "a\\tC:\\x\\r\\x1b[2J\\x00\\xff.\\n");
}

/* Only escapes of escape_text() for characters that may be typed are replaced. */
static void test_revert(void **state)
{
    static const char *const same[] = {
        "\\ud800", "\\udddd", "\\udfff", "\\U0000dddd", /* no characters */
        "", "\\", "\\u", "\\u00a", "\\u0041", "\\u00AD", "\\u202e", "\\u009b", "\\x1b", "\\n",
        "C:\\users", "\\U00110000", "\\Uffffffff", "\\u00e4",
        /* Not as they would be shown: a single backslash, a mark that has its letter. */
        "a\\b\\u00ad", "a\\\\b\\c", "u\\u0308", "a\\\\b\\n"};
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        snprintf(text, sizeof text, "%s", same[i]);
        assert_string_equal(escape_revert(text), same[i]);
    }
    snprintf(text, sizeof text, "\\\\u00ad \\\\\\\\");
    assert_string_equal(escape_revert(text), "\\u00ad \\\\");
    snprintf(text, sizeof text, "a\\u00ad\\U000e0041b");
    assert_string_equal(escape_revert(text), "a\xc2\xad\xf3\xa0\x81\x81"
                                             "b");
}

/* Harmless characters at the beginning of a text, behind another one, and behind a backslash: each
 * of the planes with letters, and some of the others. */
static void test_round_trip(void **state)
{
    static const char *const beginnings[] = {"", "a", "\\", "u\u0308\u0308\u0308\u0308", "\u1112"};
    (void)state;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        for (uint32_t character = 1; character <= 0x10FFFF;
             character += character < 0x20000 ? 1 : 61) {
            char text[32], shown[64];
            size_t length = strlen(beginnings[i]);

            if (!utf8_is_character(character))
                continue;
            memcpy(text, beginnings[i], length);
            length += utf8_encode(text + length, character);
            memcpy(text + length, "b", 2);
            if (!escape_is_harmless(text))
                continue;
            escape_string(shown, sizeof shown, text);
            if (strcmp(escape_revert(shown), text) != 0)
                fail_msg("U+%04X is not restored behind '%s'", (unsigned)character, beginnings[i]);
        }
}

static void test_tables(void **state)
{
    const struct {
        const struct unicode_range *ranges;
        size_t count;
    } tables[] = {{unicode_hidden, unicode_hidden_count}, {unicode_marks, unicode_marks_count}};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < tables[i].count; j++) {
            assert_true(tables[i].ranges[j].first <= tables[i].ranges[j].last);
            if (j > 0)
                assert_true(tables[i].ranges[j - 1].last + 1 < tables[i].ranges[j].first);
        }
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
        cmocka_unit_test(test_escape_table),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_what_does_not_fit_is_cut),
        cmocka_unit_test(test_arbitrary_bytes),
        cmocka_unit_test(test_a_line_keeps_tabs_and_backslashes),
        cmocka_unit_test(test_a_pattern_keeps_backslashes),
        cmocka_unit_test(test_revert),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_is_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
