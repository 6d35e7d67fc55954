/*
 * test-hex.c: bytes as hexadecimal digits, and back.
 */
#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_value_of_each_character(void **state)
{
    (void)state;
    static const char digits[] = "0123456789ABCDEF";

    for (int character = 0; character <= UINT8_MAX; character++) {
        const int upper = character >= 'a' && character <= 'f' ? character - 'a' + 'A' : character;
        const char *digit = memchr(digits, upper, strlen(digits));

        assert_int_equal(hex_value((unsigned char)character), digit ? digit - digits : -1);
        assert_int_equal(memchr(HEX_DIGITS, character, strlen(HEX_DIGITS)) != NULL, digit != NULL);
    }
}

static void test_byte_of_two_digits(void **state)
{
    (void)state;

    assert_int_equal(hex_byte('0', '0'), 0);
    assert_int_equal(hex_byte('1', 'f'), 0x1f);
    assert_int_equal(hex_byte('F', '2'), 0xf2);
    assert_int_equal(hex_byte('g', '0'), -1);
    assert_int_equal(hex_byte('0', '\0'), -1);
}

static void test_bytes_as_digits(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0x00, 0x09, 0x0a, 0x7f, 0x80, 0xfe};
    char text[2 * sizeof bytes + 2];

    memset(text, 'x', sizeof text);
    hex_encode(text, bytes, sizeof bytes);
    assert_string_equal(text, "00090a7f80fe");
    assert_int_equal(text[sizeof text - 1], 'x');

    hex_encode(text, bytes, 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_value_of_each_character),
                                       cmocka_unit_test(test_byte_of_two_digits),
                                       cmocka_unit_test(test_bytes_as_digits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
