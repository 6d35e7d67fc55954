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
        {"auth=pw", "=:", "auth=..."},
        {"auth=", "=:", "auth="},
        {"admin:pw", ":", "admin:..."},
        {"user=admin:pw", ":", "user=admin:..."},
        {"lamp", "=:", "lamp"},
        {"=pw", "=:", "=..."},
        {"a\nb=c", "=", "a\\nb=..."},
        {"http://me:pw@lamp", "=", "http://me:...@lamp"},
        {"http://me:p=w@lamp", "=", "http://me:...@lamp"},
        {"me:p=w@lamp", "=", "me:...@lamp"},
        {"auth=me:pw@lamp", "=", "auth=..."},
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

static void test_paths(void **state)
{
    static const char *const rows[][3] = {
        {"secret.txt", "secret.txt", "secret.txt"},
        {"/run/secrets/ota", "/run/secrets/ota", "/run/secrets/ota"},
        {"./pw", "./pw", "./pw"},
        {"hunter2", "hunter2", NOT_SHOWN},
        {KEY, KEY, NOT_SHOWN},
        {"keys.d/" KEY, "keys.d/" KEY, "keys.d/" KEY},
        {"/a\nb", "/a\nb", "/a\\nb"},
        /* behind the folder of a configuration */
        {"/etc/esp-ota/hunter2", "hunter2", NOT_SHOWN},
        {"./" KEY, KEY, NOT_SHOWN},
        {"/etc/esp-ota/pw.txt", "pw.txt", "/etc/esp-ota/pw.txt"},
        {"/home/me/pw", "~/pw", "/home/me/pw"},
    };
    char shown[SHOWN_WORD_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(shown_path(shown, rows[i][0], rows[i][1]), rows[i][2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_paths)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
