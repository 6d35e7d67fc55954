/*
 * test-expect.c: which lines satisfy and which reject, and what is no pattern.
 */
#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SOME = 4 };

#define LINE(literal)                                                                              \
    {                                                                                              \
        .bytes = (const unsigned char *)(literal), .length = sizeof(literal) - 1                   \
    }

static const struct {
    const char *expected[SOME];
    const char *rejected[SOME];
    struct line lines[SOME];
    enum expect_verdict verdict;
    const char *name; /* of the pattern that rejected, or of the first that is missing */
} rows[] = {
    {{"ready"}, {NULL}, {LINE("I am ready.")}, EXPECT_SATISFIED, NULL},
    {{"ready"}, {NULL}, {LINE("Ready")}, EXPECT_UNDECIDED, "ready"},
    {{"one", "two"}, {NULL}, {LINE("two"), LINE("one")}, EXPECT_SATISFIED, NULL},
    {{"one", "two"}, {NULL}, {LINE("one two")}, EXPECT_SATISFIED, NULL},
    {{"one", "two"}, {NULL}, {LINE("two"), LINE("two")}, EXPECT_UNDECIDED, "one"},
    {{NULL}, {"panic"}, {LINE("ready")}, EXPECT_UNDECIDED, NULL},
    {{NULL}, {"oops", "panic"}, {LINE("Guru: panic'ed")}, EXPECT_REJECTED, "panic"},
    {{"one"}, {"panic"}, {LINE("one panic")}, EXPECT_REJECTED, "panic"},
    {{"one"}, {"panic"}, {LINE("one"), LINE("panic")}, EXPECT_SATISFIED, NULL},
    {{"one"}, {"panic"}, {LINE("panic"), LINE("one")}, EXPECT_REJECTED, "panic"},
    {{"^v(1|2)\\.[0-9]+$"}, {NULL}, {LINE("v2.17")}, EXPECT_SATISFIED, NULL},
    {{"^v2"}, {NULL}, {LINE(" v2")}, EXPECT_UNDECIDED, "^v2"},
    {{"b$"}, {NULL}, {LINE("a\0b")}, EXPECT_SATISFIED, NULL},
    {{"^b"}, {NULL}, {LINE("a\0b")}, EXPECT_UNDECIDED, "^b"},
    {{"\xff"}, {NULL}, {LINE("\xfe\xff")}, EXPECT_SATISFIED, NULL},
    {{"a.*z"}, {NULL}, {LINE("a\xff\x80\xc3z")}, EXPECT_SATISFIED, NULL},
    {{"K\xc3\xbc"
      "che"},
     {NULL},
     {LINE("K\xc3\xbc"
           "che")},
     EXPECT_SATISFIED,
     NULL},
};

static size_t count(const char *const *patterns)
{
    size_t n = 0;
    while (n < SOME && patterns[n])
        n++;
    return n;
}

static struct expect *make(const char *const *expected, const char *const *rejected)
{
    struct ota_failure failure;
    struct expect *expect;
    assert_int_equal(
        expect_new(&expect, expected, count(expected), rejected, count(rejected), &failure),
        OTA_OK);
    return expect;
}

static void assert_pattern(const char *pattern, const char *expected)
{
    if (expected)
        assert_string_equal(pattern, expected);
    else
        assert_null(pattern);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct expect *expect = make(rows[i].expected, rows[i].rejected);
        struct expect_state board = {0};
        for (size_t n = 0; n < SOME && rows[i].lines[n].bytes; n++)
            expect_feed(expect, &board, &rows[i].lines[n]);
        assert_int_equal(board.verdict, rows[i].verdict);
        if (board.verdict == EXPECT_REJECTED)
            assert_pattern(expect_rejecting(expect, &board), rows[i].name);
        else
            assert_null(expect_rejecting(expect, &board));
        if (board.verdict != EXPECT_REJECTED)
            assert_pattern(expect_missing(expect, &board, 0), rows[i].name);
        expect_free(expect);
    }
}

/* Where only a piece of a line is there, it neither begins nor ends at the piece's ends. */
static void test_pieces(void **state)
{
    static const char *const begin[SOME] = {"^a"};
    static const char *const end[SOME] = {"z$"};
    static const char *const none[SOME] = {NULL};
    struct line line = LINE("a to z");
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct expect *begins = make(begin, none);
        struct expect *ends = make(end, none);
        struct expect_state first = {0};
        struct expect_state second = {0};
        line.is_continuation = i & 1;
        line.is_unfinished = i & 2;
        assert_int_equal(expect_feed(begins, &first, &line) == EXPECT_SATISFIED, !(i & 1));
        assert_int_equal(expect_feed(ends, &second, &line) == EXPECT_SATISFIED, !(i & 2));
        expect_free(begins);
        expect_free(ends);
    }
}

static void test_what_is_missing_is_listed(void **state)
{
    static const char *const expected[SOME] = {"one", "two", "three", "four"};
    static const char *const none[SOME] = {NULL};
    static const struct line line = LINE("three");
    struct expect *expect = make(expected, none);
    struct expect_state board = {0};
    struct expect_state other = {0}; /* boards share the patterns, not what they said */
    (void)state;
    assert_int_equal(expect_feed(expect, &board, &line), EXPECT_UNDECIDED);
    assert_string_equal(expect_missing(expect, &board, 0), "one");
    assert_string_equal(expect_missing(expect, &board, 1), "two");
    assert_string_equal(expect_missing(expect, &board, 2), "four");
    assert_null(expect_missing(expect, &board, 3));
    assert_string_equal(expect_missing(expect, &other, 2), "three");
    expect_free(expect);
    expect_free(NULL);
}

static void test_what_is_no_pattern(void **state)
{
    static char long_one[EXPECT_PATTERN_MAX + 2];
    const struct {
        const char *pattern;
        const char *message;
    } wrong[] = {
        {"", "--reject \"\": an empty expression would match every line"},
        {"a(b", "--reject \"a(b\": Unmatched ( or \\("},
        {"a[\x1b", "--reject \"a[\\x1b\": Unmatched [, [^, [:, [., or [="},
        {"(a)\\1",
         "--reject \"(a)\\\\1\": extended regular expressions have no back-references such "
         "as \\1"},
        {"((a{99}){99}){99}", "--reject \"((a{99}){99}){99}\": written out, its repetitions are "
                              "more than 1000 characters"},
        {long_one, "longer than 1024 bytes"},
    };
    (void)state;
    memset(long_one, 'x', sizeof long_one - 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *rejected[] = {"good", wrong[i].pattern};
        struct expect *expect;
        struct ota_failure failure;
        assert_int_equal(expect_new(&expect, rejected, 1, rejected, 2, &failure), OTA_E_USAGE);
        assert_null(expect);
        assert_non_null(strstr(failure.message, wrong[i].message));
    }
}

static void test_how_many(void **state)
{
    const char *patterns[EXPECT_MAX + 1];
    struct ota_failure failure;
    struct expect *expect;
    struct expect_state board = {0};
    const struct line line = LINE("x");
    (void)state;
    for (size_t i = 0; i <= EXPECT_MAX; i++)
        patterns[i] = "x";
    assert_int_equal(expect_new(&expect, patterns, EXPECT_MAX + 1, NULL, 0, &failure), OTA_E_USAGE);
    assert_string_equal(failure.message, "--expect is given 65 times; 64 are possible");
    patterns[EXPECT_MAX - 1] = "y";
    assert_int_equal(expect_new(&expect, patterns, EXPECT_MAX, NULL, 0, &failure), OTA_OK);
    assert_int_equal(expect_feed(expect, &board, &line), EXPECT_UNDECIDED);
    assert_string_equal(expect_missing(expect, &board, 0), "y");
    expect_free(expect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_what_is_missing_is_listed),
        cmocka_unit_test(test_what_is_no_pattern),
        cmocka_unit_test(test_how_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
