/*
 * test-sgr_strip.c: colors are removed and everything else stays, with every segmentation.
 */
#include "boardlog/sgr_strip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) literal, sizeof(literal) - 1
#define TEN "0123456789"

static const struct {
    const char *source;
    size_t length;
    const char *text;
} rows[] = {
    {BYTES("plain\n"), "plain\n"},
    {BYTES("\x1b[0;32mI (523) wifi: up\x1b[0m\n"), "I (523) wifi: up\n"},
    {BYTES("\x1b[m\x1b[1;31m\x1b[38:5:9ma"), "a"},
    {BYTES("\x1b[2Ja\x1b[3;4H"), "\x1b[2Ja\x1b[3;4H"}, /* moves the cursor, so it stays */
    {BYTES("\x1b]0;title\a"), "\x1b]0;title\a"},
    {BYTES("\x1bm"), "\x1bm"},
    {BYTES("\x1b\x1b[1m\x1b[\x1b[1mm"), "\x1b\x1b[m"},
    {BYTES("\x1b[1\nm"), "\x1b[1\nm"},
    {BYTES("\x1b[" TEN TEN TEN "ma"), "a"}, /* the longest sequence, and one byte more */
    {BYTES("\x1b[" TEN TEN TEN "0ma"), "\x1b[" TEN TEN TEN "0ma"},
    {BYTES("a\x1b[0"), "a"},
};

static void test_sgr_cut_anywhere(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t cut = 0; cut <= rows[i].length; cut++) {
            struct sgr_strip colors = {.held = 0};
            unsigned char text[64 + SGR_STRIP_MAX];
            size_t used = sgr_strip(&colors, text, rows[i].source, cut);
            used += sgr_strip(&colors, text + used, rows[i].source + cut, rows[i].length - cut);
            assert_int_equal(used, strlen(rows[i].text));
            assert_memory_equal(text, rows[i].text, used);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgr_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
