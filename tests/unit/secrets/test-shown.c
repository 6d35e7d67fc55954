/* test-shown.c: what messages show of words that may be secrets. */
#include "secrets/shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xd/l8="
#define NOT_SHOWN "(its name is not shown: it may be the secret itself)"

static void test_words(void **state)
{
    static const char *const rows[][3] = {
        {"auth=pw", "=:", "auth=..."},  {"auth=", "=:", "auth="},
        {"admin:pw", ":", "admin:..."}, {"user=admin:pw", ":", "user=admin:..."},
        {"lamp", "=:", "lamp"},         {"=pw", "=:", "=..."},
        {"a\nb=c", "=", "a\\nb=..."},
    };
    char long_word[400], shown[SHOWN_WORD_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(shown_word(shown, rows[i][0], rows[i][1]), rows[i][2]);

    memset(long_word, 'x', sizeof long_word);
    long_word[350] = '=';
    long_word[399] = '\0';
    assert_true(strlen(shown_word(shown, long_word, "=")) < SHOWN_WORD_MAX);
    assert_true(strlen(shown_word(shown, long_word, ":")) < SHOWN_WORD_MAX);
}

static void test_urls(void **state)
{
    static const char *const rows[][2] = {
        {"http://lamp.local/up?a=b:c", "http://lamp.local/up?a=b:c"},
        {"http://me@lamp.local:80/", "http://me@lamp.local:80/"},
        {"http://me:pw@lamp.local:80/", "http://me:...@lamp.local:80/"},
        {"http://me:p@w/:@lamp/", "http://me:...@lamp/"},
        {"http://:pw@lamp", "http://:...@lamp"},
        {"me:pw@lamp", "me:...@lamp"},
        {"[fe80::7]:80", "[fe80::7]:80"},
        {"me:p\n@la\nmp", "me:...@la\\nmp"},
    };
    char shown[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(shown_url(shown, sizeof shown, rows[i][0]), rows[i][1]);
        for (size_t capacity = 32; capacity < sizeof shown; capacity++) {
            memset(shown, 'x', sizeof shown);
            assert_true(strlen(shown_url(shown, capacity, rows[i][0])) < capacity);
            assert_int_equal(shown[capacity], 'x');
        }
    }
}

static void test_paths(void **state)
{
    static const char *const rows[][2] = {
        {"secret.txt", "secret.txt"},
        {"/run/secrets/ota", "/run/secrets/ota"},
        {"./pw", "./pw"},
        {"hunter2", NOT_SHOWN},
        {KEY, NOT_SHOWN},
        {"keys.d/" KEY, "keys.d/" KEY},
        {"/a\nb", "/a\\nb"},
    };
    char shown[SHOWN_WORD_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(shown_path(shown, rows[i][0]), rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_urls),
                                       cmocka_unit_test(test_paths)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
