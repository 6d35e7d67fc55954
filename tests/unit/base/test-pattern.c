/*
 * test-pattern.c: patterns of names, in ASCII and beyond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pattern.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void assert_matches(const char *pattern, const char *text, bool matches)
{
    if (pattern_matches(pattern, text) != matches)
        fail_msg("'%s' %s '%s'", pattern, matches ? "does not match" : "matches", text);
}

static void test_unicode(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"KÜCHE*", "Küche", true},
        {"küche*", "KÜCHENLICHT", true},
        {"K?che", "Küche", true},
        {"K??che", "Küche", false},
        {"K[äöü]che", "KÜCHE", true},
        {"K[!äöü]che", "Küche", false},
        {"K[à-ü]che", "KÜCHE", true},
        {"[[:upper:]][[:lower:]]", "aA", true}, /* in fnmatch(3), case matters for these */
        {"[[:alpha:]]", "ü", false},
        {"???", "客厅灯", true},
        {"客*", "客厅灯", true},
        {"?", "💡", true},
        {"СВЕТ", "свет", true},
        {"σ", "ς", true}, /* two small sigmas, one capital */
        {"ΦΩΣ", "φως", true},
        {"STRASSE", "straße", false}, /* simple folding: a letter stays one letter */
        {"STRAẞE", "straße", true},
        {"Ǆ", "ǅ", true},
        {"𐐀", "𐐨", true},
        {"K\u212a", "kk", true}, /* the kelvin sign */
        {"küche", "ku\u0308che", true},
        {"KU\u0308CHE", "küche", true},
        {"k?che", "ku\u0308che", true},
        {"k[ü]che", "ku\u0308che", true},
        {"ấ", "a\u0302\u0301", true},
        {"a", "a\u0301", false},
        {"a*", "a\u0301", false},
        {"caf*\u0301", "café", false},
        {"q?", "q\u0308", true}, /* no letter of Unicode's */
        {"?", "\xff", true},
        {"\xff", "\xff", true},
        {"\xff", "\xfe", false},
        {"?", "\xc3", true},
        {"?", "\xc3\xbc\xc3", false},
        {"??", "\xc3\xbc\xc3", true},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_matches(cases[i].pattern, cases[i].text, cases[i].matches);
}

/* Within ASCII, the C library says the same. */
static void test_ascii(void **state)
{
    static const char *const patterns[] = {"",
                                           "*",
                                           "a",
                                           "A*",
                                           "*a",
                                           "*a*b*",
                                           "?",
                                           "??",
                                           "[ab]",
                                           "[!ab]",
                                           "[^ab]",
                                           "[a-c]x",
                                           "[]a]",
                                           "[!]a]",
                                           "[a-]",
                                           "[-a]",
                                           "[",
                                           "a[",
                                           "[a",
                                           "\\*",
                                           "\\a",
                                           "[\\]]",
                                           "[[:digit:]]",
                                           "[![:digit:]]*",
                                           "a**b",
                                           "*?*",
                                           "[a-ce-g]",
                                           "x*[0-9]",
                                           "*-[0-9][0-9]",
                                           "**",
                                           "a?b*c",
                                           "[[:nonsense:]]"};
    static const char *const texts[] = {"",   "a",      "A",     "b",  "ab", "aXb", "bx",
                                        "]",  "-",      "[",     "a[", "[a", "*",   "5",
                                        "x5", "kit-12", "a-b-c", "g",  "e",  "aab", "x"};
    (void)state;

    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++)
            assert_matches(patterns[i], texts[j],
                           fnmatch(patterns[i], texts[j], FNM_CASEFOLD) == 0);
}

/* Stars do not multiply. */
static void test_many_stars(void **state)
{
    char pattern[2000], text[256];
    (void)state;

    for (size_t i = 0; i + 2 < sizeof pattern; i += 2)
        memcpy(pattern + i, "*a", 3);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_matches(pattern, text, false);
    pattern[510] = '\0'; /* as many as the text has characters */
    assert_matches(pattern, text, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unicode),
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_many_stars),
    };

    unsetenv("POSIXLY_CORRECT"); /* makes "[^ab]" an ordinary class in fnmatch(3) */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
