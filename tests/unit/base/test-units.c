/*
 * test-units.c: sizes, rates and durations as text.
 */
#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_sizes_and_rates(void **state)
{
    (void)state;
    char text[UNITS_TEXT_MAX];

    assert_string_equal(format_size(text, 0), "0 bytes");
    assert_string_equal(format_size(text, 1023), "1023 bytes");
    assert_string_equal(format_size(text, 1024), "1.0 KiB");
    assert_string_equal(format_size(text, 297632), "290.7 KiB");
    assert_string_equal(format_size(text, 1466064), "1.40 MiB");
    assert_string_equal(format_part(text, 0, 1023), "0 bytes");
    assert_string_equal(format_part(text, 0, 1024), "0.0 KiB");
    assert_string_equal(format_part(text, 1000, 1466064), "0.00 MiB");
    assert_string_equal(format_rate(text, 1000, 0), "?");
    assert_string_equal(format_rate(text, 0, SECONDS(1)), "0.0 KiB/s");
    assert_string_equal(format_rate(text, 102400, SECONDS(2)), "50.0 KiB/s");
    assert_string_equal(format_rate(text, 4 << 20, SECONDS(1)), "4.0 MiB/s");
    assert_string_equal(format_rate(text, 102400, MILLISECONDS(500)), "200.0 KiB/s");
}

static void test_waits(void **state)
{
    (void)state;
    char text[UNITS_TEXT_MAX];

    assert_string_equal(format_wait(text, 5), "5.0 s");
    assert_string_equal(format_wait(text, 0.1), "0.1 s");
    assert_string_equal(format_wait(text, 0.0123), "0.012 s");
    assert_string_equal(format_wait(text, 0), "0.000 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes_and_rates),
                                       cmocka_unit_test(test_waits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
