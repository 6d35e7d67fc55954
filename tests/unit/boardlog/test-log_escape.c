/*
 * test-log_escape.c: what a terminal would obey is shown, and everything else stays, with every
 * segmentation.
 */
#include "boardlog/log_escape.h"

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
} rows[] = {
    {BYTES("plain\ttext \\\r\n\n\rno end"), "plain\ttext \\\r\n\n\rno end"},
    {BYTES("22 \xc2\xb0\x43, \xe2\x82\xac, \xf0\x9f\x92\xa1\n"),
     "22 \xc2\xb0\x43, \xe2\x82\xac, \xf0\x9f\x92\xa1\n"},
    {BYTES("\x1b]52;c;aGk=\a\x1b[2J"), "\\x1b]52;c;aGk=\\x07\\x1b[2J"},
    {BYTES("\x00\b\x7f"), "\\x00\\x08\\x7f"},
    {BYTES("\xc2\x9b"
           "2J \x9b"
           "2J"),
     "\\u009b2J \\x9b2J"},                                       /* C1: CSI in one character */
    {BYTES("\xe2\x80\xaetxt\xe2\x80\xac"), "\\u202etxt\\u202c"}, /* from right to left */
    {BYTES("\xc3(\xe2\x82\n\xf0\x9f\xc3\xa4"), "\\xc3(\\xe2\\x82\n\\xf0\\x9f\xc3\xa4"},
    {BYTES("\xed\xa0\x80 \xc0\xaf \xff"), "\\xed\\xa0\\x80 \\xc0\\xaf \\xff"},
};

static void test_log_cut_anywhere(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t cut = 0; cut <= rows[i].length; cut++)
            for (size_t next = cut; next <= rows[i].length; next++) {
                struct log_escape escape = {.held = 0};
                char text[LOG_ESCAPE_ROOM(64)];
                size_t used = log_escape(&escape, text, rows[i].source, cut);
                used += log_escape(&escape, text + used, rows[i].source + cut, next - cut);
                used +=
                    log_escape(&escape, text + used, rows[i].source + next, rows[i].length - next);
                text[used] = '\0';
                assert_string_equal(text, rows[i].text);
                assert_int_equal(escape.held, 0);
            }
}

static void test_log_escape_room(void **state)
{
    char source[64], text[LOG_ESCAPE_ROOM(sizeof source)];
    struct log_escape escape = {.bytes = {0xf0, 0x9f, 0x92}, .held = 3};
    (void)state;

    memset(source, '\x9b', sizeof source);
    source[0] = '\n';
    assert_int_equal(log_escape(&escape, text, source, sizeof source), 3 * 4 + 1 + 63 * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_cut_anywhere),
        cmocka_unit_test(test_log_escape_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
