/*
 * test-utf8.c: well-formed and malformed UTF-8, its repair, and the byte order mark.
 */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) (literal), sizeof(literal) - 1
#define BAD "\xef\xbf\xbd"

static const struct {
    const char *source;
    size_t length;
    const char *repaired;
    size_t repaired_length;
} rows[] = {
    {BYTES(""), BYTES("")},
    {BYTES("a\0b"), BYTES("a\0b")},
    {BYTES("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"), BYTES("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80")},
    {BYTES("\xff"), BYTES(BAD)},
    {BYTES("K\xfc"
           "che"),
     BYTES("K" BAD "che")},
    {BYTES("\xc3"), BYTES(BAD)},
    {BYTES("\xe2\x82z"), BYTES(BAD BAD "z")},
    {BYTES("\xc0\x80"), BYTES(BAD BAD)},                 /* overlong */
    {BYTES("\xed\xa0\x80"), BYTES(BAD BAD BAD)},         /* a surrogate */
    {BYTES("\xf4\x90\x80\x80"), BYTES(BAD BAD BAD BAD)}, /* beyond Unicode */
};

static void test_repair(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char target[64];
        assert_int_equal(utf8_repair(target, rows[i].source, rows[i].length),
                         rows[i].repaired_length);
        assert_memory_equal(target, rows[i].repaired, rows[i].repaired_length);
    }
}

static void test_decode(void **state)
{
    uint32_t character = 0;
    (void)state;
    assert_int_equal(utf8_decode(&character, "\xe2\x82\xac", 3), 3);
    assert_int_equal(character, 0x20AC);
    assert_int_equal(utf8_decode(&character, "\xe2\x82\xac", 2), 0);
}

static void test_mark(void **state)
{
    (void)state;
    assert_int_equal(utf8_mark("\xef\xbb\xbfx", 4), 3);
    assert_int_equal(utf8_mark("\xef\xbb\xbf", 3), 3);
    assert_int_equal(utf8_mark("\xef\xbb\xbf", 2), 0);
    assert_int_equal(utf8_mark("x\xef\xbb\xbf", 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repair),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
