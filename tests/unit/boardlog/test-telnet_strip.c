/*
 * test-telnet_strip.c: commands are removed and text stays, with every segmentation.
 */
#include "boardlog/telnet_strip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *source;
    size_t length;
    const char *text;
    size_t text_length;
} rows[] = {
    {BYTES(""), BYTES("")},
    {BYTES("plain \xc3\xbc\n"), BYTES("plain \xc3\xbc\n")},
    {BYTES("\0a\0\0b\r\0\n"), BYTES("ab\r\n")},
    {BYTES("a\xff\xfb\0z\xff\0z"), BYTES("az\xffz")}, /* an option has the number 0 */
    {BYTES("a\xff\xfa\0\0\xff\xf0z"), BYTES("az")},
    {BYTES("a\xff\xfb\x01z"), BYTES("az")}, /* WILL, WONT, DO, DONT */
    {BYTES("a\xff\xfc\x01z"), BYTES("az")},
    {BYTES("a\xff\xfd\nz"), BYTES("az")},
    {BYTES("a\xff\xfe\xffz"), BYTES("az")},
    {BYTES("a\xff\xf1z\xff\xf9"), BYTES("az")}, /* NOP, GA */
    {BYTES("a\xff\xf0z"), BYTES("az")},         /* a stray SE */
    {BYTES("a\xff\xffz"), BYTES("a\xffz")},
    {BYTES("a\xff\xfa\x18\x01\xff\xf0z"), BYTES("az")},
    {BYTES("a\xff\xfa\x18\xff\xff\xf0\n\xff\xf0z"),
     BYTES("az")},                                      /* a byte 255 in a subnegotiation */
    {BYTES("a\xff\xfa\x18\xff\xfb\x01z"), BYTES("az")}, /* another command ends it */
    {BYTES("a\xff\xfa\x18\xff\xfa\x01\xff\xf0z"), BYTES("az")},
    {BYTES("a\xff\xfa\x18\xffz"), BYTES("a\xffz")}, /* a byte that is no command ends it */
    {BYTES("a\xff\nz"), BYTES("a\xff\nz")},         /* an invalid command keeps the line end */
    {BYTES("\xff\xff\xff\xff\xff"), BYTES("\xff\xff")},
    {BYTES("a\xff"), BYTES("a")},
};

static size_t strip_in_two(unsigned char *target, const char *source, size_t length, size_t cut)
{
    struct telnet_strip telnet = {0};
    size_t used = telnet_strip(&telnet, target, source, cut);
    assert_true(used <= cut);
    return used + telnet_strip(&telnet, target + used, source + cut, length - cut);
}

static void test_telnet_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t cut = 0; cut <= rows[i].length; cut++) {
            unsigned char text[64];
            assert_int_equal(strip_in_two(text, rows[i].source, rows[i].length, cut),
                             rows[i].text_length);
            assert_memory_equal(text, rows[i].text, rows[i].text_length);
        }
}

/* A subnegotiation must not swallow the log forever, not even with only IAC IAC. */
static void test_an_endless_subnegotiation_ends(void **state)
{
    static const unsigned char fillings[] = {'.', 0xff};
    (void)state;

    for (size_t i = 0; i < sizeof fillings; i++) {
        unsigned char source[2 + 2 * TELNET_SUBNEGOTIATION_MAX + 2] = {0xff, 0xfa};
        size_t length = 2 + (i + 1) * TELNET_SUBNEGOTIATION_MAX;
        unsigned char text[sizeof source + 1];
        struct telnet_strip telnet = {0};
        memset(source + 2, fillings[i], length - 2);
        memcpy(source + length, "ok", 2);
        assert_int_equal(telnet_strip(&telnet, text, source, length + 2), 2);
        assert_memory_equal(text, "ok", 2);
    }
}

/* The longest subnegotiation is removed. The count restarts with the next one. */
static void test_subnegotiations_are_counted_each(void **state)
{
    struct telnet_strip telnet = {0};
    (void)state;

    for (int i = 0; i < 3; i++) {
        unsigned char source[2 + TELNET_SUBNEGOTIATION_MAX - 1 + 3] = {0xff, 0xfa};
        unsigned char text[sizeof source + 1];
        memcpy(source + sizeof source - 3, "\xff\xf0z", 3);
        assert_int_equal(telnet_strip(&telnet, text, source, sizeof source), 1);
        assert_int_equal(text[0], 'z');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_telnet_cut_anywhere),
        cmocka_unit_test(test_an_endless_subnegotiation_ends),
        cmocka_unit_test(test_subnegotiations_are_counted_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
