/* test-base64.c: the examples of RFC 4648 10, bytes beyond ASCII, and what is no base64. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_examples(void **state)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"},
                                          {"\xff\xef\xbe", "/+++"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[BASE64_SIZE(6)], bytes[6];

        base64_encode(text, rows[i][0], strlen(rows[i][0]));
        assert_string_equal(text, rows[i][1]);
        assert_int_equal(BASE64_SIZE(strlen(rows[i][0])), strlen(text) + 1);

        assert_int_equal(base64_decode(bytes, sizeof bytes, text), strlen(rows[i][0]));
        assert_memory_equal(bytes, rows[i][0], strlen(rows[i][0]));
        text[strcspn(text, "=")] = '\0';
        assert_int_equal(base64_decode(bytes, sizeof bytes, text), strlen(rows[i][0]));
    }
}

static void test_other_texts(void **state)
{
    static const char *const rows[] = {
        "Zh==", "Zm9=", "Zm9v!", "Zm9v Zg==", "Zg==Zg==", "Zm_v", "A", "Z", "Zm9vYmFyZg=="};
    char bytes[6];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (base64_decode(bytes, sizeof bytes, rows[i]) != -1)
            fail_msg("\"%s\" is taken", rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples),
                                       cmocka_unit_test(test_other_texts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
