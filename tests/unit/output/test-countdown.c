/*
 * test-countdown.c: the time that is left, as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "output/countdown.h"

static void test_countdown_text(void **state)
{
    static const struct {
        int64_t left_us;
        size_t width;
        const char *text;
    } cases[] = {
        {65 * INT64_C(1000000), 0, "waiting for the board, 1:05 left"},
        {64000001, 80, "waiting for the board, 1:05 left"},
        {1, 33, "waiting for the board, 0:01 left"},
        {1, 32, "0:01 left"},
        {1, 5, "0:01"},
        {1, 1, ""},
        {0, 0, "waiting for the board, 0:00 left"},
        {-1, 0, "waiting for the board, 0:00 left"},
        {86400 * INT64_C(1000000), 0, "waiting for the board, 1440:00 left"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[COUNTDOWN_TEXT_MAX];
        assert_string_equal(countdown_text(text, "the board", cases[i].left_us, cases[i].width),
                            cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_countdown_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
