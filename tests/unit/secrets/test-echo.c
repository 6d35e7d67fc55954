/*
 * test-echo.c: words that repeat an answer, a hash of the password, or a key.
 */
#include "base/secret.h"
#include "secrets/echo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CNONCE "0123456789abcdef0123456789abcdef"
#define RESPONSE "fedcba98765432100f1e2d3c4b5a6978"
#define MD5_OF_PW "8fe4c11451281c094a6578e6ddbf5eed"
#define SHA256_OF_PW "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"

static const struct auth_answer answer = {.cnonce = CNONCE, .response = RESPONSE};

static struct ota_failure failure; /* of what does not fail */

static bool is_echo(const struct echo *echo, const char *words)
{
    return strcmp(echo_hide(echo, words), words) != 0;
}

static const struct {
    const char *words;
    bool is_echo;
} echo_words_rows[] = {
    {"200 " CNONCE " " RESPONSE, true},
    {RESPONSE, true},
    {"FEDCBA98", true},    /* in capitals, and eight digits */
    {"fedcba9", false},    /* seven */
    {"fe dc-ba:98", true}, /* with something in between */
    {"4b\n5a\t69\x1b"
     "78",
     true},
    {"4b5a\xc2\xad"
     "6978",
     true}, /* a soft hyphen */
    {"4b5a\xf3\xa0\x81\x81"
     "6978",
     true},                            /* a tag */
    {"fe\\x00dc\\x07ba\\xff98", true}, /* the same, escaped */
    {"4b5a\\u00ad6978", true},
    {"4b5a\\\\u00ad6978", true},
    {"4b5a\\U000e00416978", true},
    {"\uff24\uff23\uff22\uff21\uff19\uff18\uff17\uff16", true}, /* full-width */
    {"\uff44\uff43\uff42\uff41\uff19\uff18\uff17\uff16", true},
    {"fe\uff44\uff43-b\uff41\uff19"
     "8",
     true},
    {"\uff24\uff23\uff22\uff21\uff19\uff18\uff17", false},       /* seven */
    {"\uff27\uff23\uff22\uff21\uff19\uff18\uff17\uff16", false}, /* a G is none */
    {"\uff11\xbc"
     "fedcba9"
     "\xef\xbc",
     false},
    {"fedcba9 edcba98", false}, /* each seven of an answer, with an e in between */
    {"0f1e2d3 c4b5a69", true},  /* seven, and the next one */
    {"4b\\n5a\\r69\\t78\\\\", true},
    {"\\x4b\\x5a\\x69\\x78", true}, /* digits that look like escape sequences */
    {"\\u4b5a\\u6978", true},
    {"4b5a\\u00a6978", false}, /* a sequence takes four digits */
    {"my hash is " MD5_OF_PW, true},
    {"or " SHA256_OF_PW, true},
    {"ERROR[4]: Not Enough Space", false},
    {"ERROR[7]: MD5 verification failed: expected: 00112233445566778899aabbccddeeff", false},
    {"", false},
    {"\\x", false},
    {"\\U0001", false},
};

static void test_echo_words(void **state)
{
    (void)state;
    struct echo echo = {0};

    assert_true(echo_learn(&echo, "pw", &answer, &failure));
    for (size_t i = 0; i < sizeof echo_words_rows / sizeof *echo_words_rows; i++) {
        print_message("  %s\n", echo_words_rows[i].words);
        assert_int_equal(is_echo(&echo, echo_words_rows[i].words), echo_words_rows[i].is_echo);
        assert_false(is_echo(NULL, echo_words_rows[i].words));
        assert_false(is_echo(&(struct echo){0}, echo_words_rows[i].words));
    }
    echo_clear(&echo);
}

#define KEY64 "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="

/* A key is found in base64 and in hexadecimal, beside what was known before. */
static void test_key(void **state)
{
    static const struct {
        const char *words;
        bool is_echo;
    } rows[] = {
        {"key is " KEY64, true},
        {"QEFCQ0RF", true},
        {"qefcq0rf", true},
        {"QEFCQ0R", false},                /* seven */
        {"QEFC Q0-RF", true},              /* with something in between */
        {"QE\\nFC\\x1bQ0\\u00adRF", true}, /* the same, escaped */
        {"Q\\nE\\nFCQ0R.S", false},
        {"\uff31\uff25\uff26\uff43\uff51\uff10RF", true}, /* full-width */
        {"QEFCxQ0RF", false},                             /* another letter in between */
        {"XF1eXw", false},
        {"xdXl8=", false},
        {"aW1xdXl8=", true}, /* the end */
        {"hex 404142434445464748494a4b4c4d4e4f", true},
        {"5C:5D:5E:5F", true},
        {"5c:5d:5e:5", false},
        {"4041 is 4243", true}, /* letters that are no digits */
        {"00010203", false},
        {"FEDCBA98", true}, /* an answer */
    };
    unsigned char key[32];
    struct echo echo = {0};

    (void)state;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)(64 + i);
    assert_true(echo_learn(&echo, NULL, &answer, &failure));
    assert_true(echo_learn_key(&echo, key));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("  %s\n", rows[i].words);
        assert_int_equal(is_echo(&echo, rows[i].words), rows[i].is_echo);
    }
    echo_clear(&echo);
    assert_int_equal(secret_count(), 0);
}

/* All answers of all attempts are hidden, and nothing else. */
static void test_everything_is_kept(void **state)
{
    (void)state;
    struct echo echo = {0};
    char word[16];

    assert_true(echo_learn(&echo, NULL, &answer, &failure));
    assert_false(is_echo(&echo, MD5_OF_PW));
    for (unsigned i = 1; i <= 100; i++) {
        struct auth_answer other = {0};

        snprintf(other.cnonce, sizeof other.cnonce, "%08x", i * 0x01234567U);
        assert_true(echo_learn(&echo, i == 1 ? "pw" : i == 2 ? "" : NULL, &other, &failure));
    }
    for (unsigned i = 1; i <= 100; i++) {
        snprintf(word, sizeof word, "%08x", i * 0x01234567U);
        assert_true(is_echo(&echo, word));
    }
    assert_true(is_echo(&echo, RESPONSE));
    assert_true(is_echo(&echo, MD5_OF_PW));
    assert_false(is_echo(&echo, "d41d8cd98f00b204e9800998ecf8427e")); /* of no password */
    echo_clear(&echo);
    assert_int_equal(secret_count(), 0);
}

/* Fewer than ECHO_DIGITS digits of the answer are shown, whatever the size of the pieces is. All
 * digits of the stream, ASCII and full-width ones, are those of the answer. A full-width digit
 * counts with its last byte. */
static void check_pieces(const char *stream)
{
    struct echo echo = {0};

    assert_true(echo_learn(&echo, NULL, &answer, &failure));
    for (size_t size = 1; size <= strlen(stream); size++) {
        struct echo_window window = {0};
        size_t shown = 0, hidden = 0;

        for (size_t at = 0; at < strlen(stream); at += size) {
            size_t length = strlen(stream) - at < size ? strlen(stream) - at : size;
            bool is_hidden = echo_is_completed(&echo, &window, stream + at, length);

            for (size_t i = at; i < at + length; i++)
                if (!strchr(":. \xef\xbc\xbd", stream[i]))
                    *(is_hidden ? &hidden : &shown) += 1;
        }
        assert_true(shown < ECHO_DIGITS);
        assert_int_equal(shown + hidden, strlen(RESPONSE));
    }
    echo_clear(&echo);
}

/* The pieces of a stream do not matter. */
static void test_echo_pieces(void **state)
{
    (void)state;
    static const char *const streams[] = {": " RESPONSE ".",
                                          ": \uff26\uff25\uff24\uff43\uff42\uff41\uff19\uff18"
                                          "765432100f1e2d3c4b5a69\uff17\uff18."};

    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        check_pieces(streams[i]);
}

/* What a board sends is one stream for all attempts, also when more is learned meanwhile. */
static void test_streams(void **state)
{
    (void)state;
    struct echo echo = {0};

    assert_true(echo_learn(&echo, NULL, &answer, &failure));
    assert_false(echo_hear(&echo, ECHO_CHANNEL, "fedcba9", 7));
    assert_false(echo_hear(&echo, ECHO_DATAGRAMS, "8765432", 7));
    assert_true(echo_learn(&echo, "pw", NULL, &failure));
    assert_true(echo_hear(&echo, ECHO_CHANNEL, "8", 1));
    assert_true(echo_hear(&echo, ECHO_DATAGRAMS, "1", 1));
    assert_false(echo_hear(NULL, ECHO_CHANNEL, "fedcba98", 8));
    echo_clear(&echo);
    assert_false(echo_hear(&echo, ECHO_CHANNEL, "7", 1));
}

static void test_words(void **state)
{
    static const struct {
        const char *text, *secret;
        size_t length;
        bool is_found;
    } rows[] = {
        {"error: kwertz42", "kwertz42", SIZE_MAX, true},
        {"error: kwertz4", "kwertz42", SIZE_MAX, false},
        {"KWERtz42", "kwertz42", SIZE_MAX, true},
        {"k w<b>e</b>rtz42", "kwertz42", SIZE_MAX, false}, /* the tag has letters */
        {"k w-e\x1br\ntz 42.", "kwertz42", SIZE_MAX, true},
        {"kwertz42", "k-w.e r!t z 4 2", SIZE_MAX, true},
        {"\xc3\xa4pfel", "\xc3\xa4pfel", SIZE_MAX, true},
        {"pfel", "\xc3\xa4pfel", SIZE_MAX, false},
        /* parts */
        {"ab CDEF ghij", "xxabcdefghxx", 8, true},
        {"ab CDEF g-ij", "xxabcdefghxx", 8, false},
        {"xx", "xxab", 8, false},
        {"xxab", "xxab", 8, true}, /* shorter than a part */
        /* too short to tell */
        {"abc", "abc", SIZE_MAX, false},
        {"a-b-c", "a-b-c", SIZE_MAX, false},
        {"abc", "", SIZE_MAX, false},
        {"", "abcd", SIZE_MAX, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (echo_has_words(rows[i].text, rows[i].secret, rows[i].length) != rows[i].is_found)
            fail_msg("row %zu: %s", i, rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),       cmocka_unit_test(test_echo_words),
        cmocka_unit_test(test_key),         cmocka_unit_test(test_everything_is_kept),
        cmocka_unit_test(test_echo_pieces), cmocka_unit_test(test_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
