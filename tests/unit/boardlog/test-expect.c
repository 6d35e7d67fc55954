/*
 * test-expect.c: lines that match expected or rejected patterns, and invalid patterns.
 */
#include "boardlog/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/match_memory.h"

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
    const char *name; /* the pattern that rejected, or the first missing one */
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
    {{"^v\\d+\\.\\d+$"}, {NULL}, {LINE("v2.17")}, EXPECT_SATISFIED, NULL},
    {{"\\bready\\b"}, {NULL}, {LINE("already"), LINE("ready.")}, EXPECT_SATISFIED, NULL},
    {{"\\bready\\b"}, {NULL}, {LINE("already"), LINE("readying")}, EXPECT_UNDECIDED, "\\bready\\b"},
    {{"^\\w+:\\s\\S$"}, {NULL}, {LINE("K\xc3\xbc:\t\xe2\x82\xac")}, EXPECT_SATISFIED, NULL},
    {{NULL}, {"(?i)PANIC"}, {LINE("Panic")}, EXPECT_REJECTED, "(?i)PANIC"},
    {{NULL}, {"(?i)k\xc3\x9c"}, {LINE("K\xc3\xbc")}, EXPECT_REJECTED, "(?i)k\xc3\x9c"},
    {{"^\\[.*?\\] ok$"}, {NULL}, {LINE("[1] [2] ok")}, EXPECT_SATISFIED, NULL},
    {{"^(?!E).*up$"}, {NULL}, {LINE("E up"), LINE("up")}, EXPECT_SATISFIED, NULL},
    {{"(.)\\1"}, {NULL}, {LINE("abba")}, EXPECT_SATISFIED, NULL},
    {{"^.$"}, {NULL}, {LINE("\xe2\x82\xac")}, EXPECT_SATISFIED, NULL},
    {{"^..$"}, {NULL}, {LINE("a\xff")}, EXPECT_SATISFIED, NULL},
    {{"^[[:alpha:]]+ [[:digit:]]{1,3}$"}, {NULL}, {LINE("up 42")}, EXPECT_SATISFIED, NULL},
    {{"{\"a\":{\"b\""}, {NULL}, {LINE("{\"a\":{\"b\":1}}")}, EXPECT_SATISFIED, NULL},
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

static struct expect *make_expectation(const char *const *expected, const char *const *rejected)
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

static void test_expect_table(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct expect *expect = make_expectation(rows[i].expected, rows[i].rejected);
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

/* "^" and "$" do not match the ends of a piece within a line. */
static void test_line_pieces(void **state)
{
    static const char *const begin[SOME] = {"^a"};
    static const char *const end[SOME] = {"z$"};
    static const char *const none[SOME] = {NULL};
    struct line line = LINE("a to z");
    (void)state;

    for (int i = 0; i < 4; i++) {
        struct expect *begins = make_expectation(begin, none);
        struct expect *ends = make_expectation(end, none);
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

/* A piece that comes again decides nothing that its continuation could change. */
static void test_unsettled_pieces(void **state)
{
    static const struct {
        struct line line;
        const char *pattern[SOME];
        bool is_match, is_settled; /* as a whole line; as a piece */
    } pieces[] = {
        {LINE("version 4"), {"version 4"}, true, true},
        {LINE("version 4 "), {"version 4\\b"}, true, true},
        {LINE("version 4"), {"version 4\\b"}, true, false},
        {LINE("version 4"), {"version \\d+"}, true, false},
        {LINE("version 4"), {"version 4(?!-rc)"}, true, false},
        {LINE("version 4"), {"version 4$"}, true, false},
        {LINE("version 4"), {"version 42"}, false, false},
    };
    static const char *const none[SOME] = {NULL};
    (void)state;

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct expect *expects = make_expectation(pieces[i].pattern, none);
        struct expect *rejects = make_expectation(none, pieces[i].pattern);
        const struct {
            bool is_half, is_cut, is_expected, is_rejected;
        } ends[] = {
            {false, false, pieces[i].is_match, pieces[i].is_match},
            {true, false, pieces[i].is_settled, pieces[i].is_settled},
            {false, true, pieces[i].is_settled, pieces[i].is_match},
        };

        for (size_t n = 0; n < sizeof ends / sizeof *ends; n++) {
            struct expect_state first = {0}, second = {0};
            struct line line = pieces[i].line;

            line.is_unfinished = line.comes_again = ends[n].is_half;
            line.is_cut = ends[n].is_cut;
            assert_int_equal(expect_feed(expects, &first, &line) == EXPECT_SATISFIED,
                             ends[n].is_expected);
            assert_int_equal(expect_feed(rejects, &second, &line) == EXPECT_REJECTED,
                             ends[n].is_rejected);
        }
        expect_free(expects);
        expect_free(rejects);
    }
}

static void test_what_is_missing_is_listed(void **state)
{
    static const char *const expected[SOME] = {"one", "two", "three", "four"};
    static const char *const none[SOME] = {NULL};
    static const struct line line = LINE("three");
    struct expect *expect = make_expectation(expected, none);
    struct expect_state board = {0};
    struct expect_state other = {0}; /* boards share the patterns, but not the state */
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
        {"a(b", "--reject \"a(b\": missing closing parenthesis"},
        {"a\t(b", "--reject \"a\\t(b\": missing closing parenthesis"},
        {"a[\x1b", "--reject \"a[\\x1b\": missing terminating ] for character class"},
        {"*a", "--reject \"*a\": quantifier does not follow a repeatable item"},
        {"x\\C", "using \\C is disabled"},
        {"((a{99}){99}){99}", "--reject \"((a{99}){99}){99}\": regular expression is too large"},
        {"a{65536}", "number too big"},
        {"\\<up", "--reject \"\\<up\": write \"\\b\" instead of \"\\<\""},
        {"up\\>", "write \"\\b\" instead of \"\\>\""},
        {"\\`up", "write \"^\" instead of \"\\`\""},
        {"up\\'", "write \"$\" instead of \"\\'\""},
        {"ba{,12}", "write \"{0,12}\" instead of \"{,12}\""},
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

/* Patterns that look similar to invalid ones are valid. */
static void test_escaped_backslashes(void **state)
{
    static const char *const none[SOME] = {NULL};
    static const char *const expected[SOME] = {"\\\\<a\\{,1}{,}"};
    static const struct line line = LINE("\\<a{,1}{,}");
    struct expect *expect = make_expectation(expected, none);
    struct expect_state board = {0};
    (void)state;
    assert_int_equal(expect_feed(expect, &board, &line), EXPECT_SATISFIED);
    expect_free(expect);
}

/* Without limits, each of these takes minutes or forever, or unlimited memory. The second one does
 * not reach PCRE2's own limit, which applies anew at each position of the line. */
static const struct {
    const char *pattern;
    const char *filling;
} killers[] = {
    {"^(([a-z])+.)+[A-Z]([a-z])+$", "a"},
    {"(a|a){15}[bc]", "a"},
    {"^(\\w+ ?)+$",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}, /* the manual's example */
    {"(a|a){64}[bc]", "a"},
    {"(a+)+(a+)+(a+)+[bc]", "a"},
    {"(?:a?){50}a{50}[bc]", "ad"},
    {"((a?){0,200}){0,4}[bc]", "a d "},
    {"((((((((((a+)+)+)+)+)+)+)+)+)+)+[bc]", "aa"},
    {"(a|b)*\\1(a|b){20}[cd]", "ab"},
    {"(?R)?a|(?1)(a)", "a"},
    {"a.*d.*a.*d.*a.*[bc]", "ad"},
};

static void test_killers(void **state)
{
    static unsigned char bytes[LINE_SPLITTER_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof killers / sizeof *killers; i++) {
        const char *pattern = killers[i].pattern;
        struct line line = {.bytes = bytes, .length = sizeof bytes};
        struct expect *rejects, *expects;
        struct expect_state rejecting = {0}, expecting = {0};
        struct ota_failure failure;

        for (size_t at = 0; at < sizeof bytes; at++)
            bytes[at] = (unsigned char)killers[i].filling[at % strlen(killers[i].filling)];
        assert_int_equal(expect_new(&rejects, NULL, 0, &pattern, 1, &failure), OTA_OK);
        assert_int_equal(expect_new(&expects, &pattern, 1, NULL, 0, &failure), OTA_OK);
        if (expect_feed(rejects, &rejecting, &line) != EXPECT_UNDECIDABLE)
            fail_msg("%s", pattern);
        assert_string_equal(expect_rejecting(rejects, &rejecting), pattern);
        for (int times = 0; times < 3; times++) {
            assert_int_equal(expect_feed(expects, &expecting, &line), EXPECT_UNDECIDED);
            assert_pattern(expecting.given_up, times == 0 ? pattern : NULL);
        }
        assert_string_equal(expect_missing(expects, &expecting, 0), pattern);
        expect_free(rejects);
        expect_free(expects);
    }
}

/* A rejection takes precedence over an undecidable pattern, and that over expected patterns. */
static void test_doubts_are_ranked(void **state)
{
    static const char *const expected[] = {"a", "^(([a-z])+.)+[A-Z]$", "x", "^(([a-z])+.)+[0-9]$"};
    static const char *const rejected[] = {"^(([a-z])+.)+[A-Z]$", "aaaz"};
    const struct line good = LINE("up");
    struct line doubtful =
        LINE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    struct line bad = LINE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaz");
    struct expect_state first = {0}, second = {0}, third = {0};
    struct expect *expect;
    struct ota_failure failure;
    (void)state;
    assert_int_equal(expect_new(&expect, expected, 1, rejected, 2, &failure), OTA_OK);
    assert_int_equal(expect_feed(expect, &first, &good), EXPECT_UNDECIDED);
    assert_int_equal(expect_feed(expect, &first, &doubtful), EXPECT_UNDECIDABLE);
    assert_string_equal(expect_rejecting(expect, &first), rejected[0]);
    assert_int_equal(expect_feed(expect, &first, &bad), EXPECT_UNDECIDABLE);
    assert_int_equal(expect_feed(expect, &second, &bad), EXPECT_REJECTED);
    assert_string_equal(expect_rejecting(expect, &second), rejected[1]);
    expect_free(expect);

    assert_int_equal(expect_new(&expect, expected, 4, NULL, 0, &failure), OTA_OK);
    expect_feed(expect, &third, &doubtful);
    assert_string_equal(third.given_up, expected[1]);
    expect_feed(expect, &third, &doubtful);
    assert_string_equal(third.given_up, expected[3]);
    expect_feed(expect, &third, &good);
    assert_null(third.given_up);
    expect_free(expect);
}

/* That is no property of the pattern; and what comes later does not make up for the lost line. */
static void test_match_without_memory(void **state)
{
    static const char *const pattern = "up";
    const struct line line = LINE("up");
    struct ota_failure failure;
    struct expect *expect;
    (void)state;

    for (size_t rejected = 0; rejected < 2; rejected++) {
        struct expect_state board = {0};

        assert_int_equal(expect_new(&expect, &pattern, 1 - rejected, &pattern, rejected, &failure),
                         OTA_OK);
        match_memory_costly_line = "up";
        assert_int_equal(expect_feed(expect, &board, &line), EXPECT_NO_MEMORY);
        match_memory_costly_line = NULL;
        assert_null(board.given_up);
        assert_int_equal(expect_feed(expect, &board, &line), EXPECT_NO_MEMORY);
        assert_null(expect_rejecting(expect, &board));
        expect_free(expect);
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
        cmocka_unit_test(test_expect_table),
        cmocka_unit_test(test_line_pieces),
        cmocka_unit_test(test_unsettled_pieces),
        cmocka_unit_test(test_what_is_missing_is_listed),
        cmocka_unit_test(test_what_is_no_pattern),
        cmocka_unit_test(test_escaped_backslashes),
        cmocka_unit_test(test_killers),
        cmocka_unit_test(test_doubts_are_ranked),
        cmocka_unit_test(test_match_without_memory),
        cmocka_unit_test(test_how_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
