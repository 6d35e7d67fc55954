/*
 * test-pace.c: the waiting times that follow from measured reply times.
 */
#include "upload/espota/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS INT64_C(1000)

static void test_a_board_that_was_never_heard(void **state)
{
    (void)state;
    static const int64_t expected_ms[] = {3800, 3800, 500, 500, 500, 500, 3800};
    const struct pace pace = {0};
    assert_false(pace_is_known(&pace));
    for (unsigned i = 0; i < sizeof expected_ms / sizeof *expected_ms; i++)
        assert_int_equal(pace_unheard_us(i + 1), expected_ms[i] * MS);
}

/* A single reply may have come at any point of a turn of loop(). */
static void test_patience_after_a_challenge(void **state)
{
    (void)state;

    static const struct {
        int64_t challenge_ms, patience_ms;
        bool is_quick;
    } rows[] = {{0, 500, true},       {1, 500, true},       {5, 500, true},
                {10, 1000, true},     {20, 2000, false},    {65, 6500, false},
                {3000, 6500, false},  {6000, 9000, false},  {8500, 12750, false},
                {9000, 13500, false}, {60000, 13500, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pace pace = {0};
        pace_measure_challenge(&pace, rows[i].challenge_ms * MS);
        assert_true(pace_is_known(&pace));
        assert_int_equal(pace_patience_us(&pace), rows[i].patience_ms * MS);
        assert_int_equal(pace_verdict_us(&pace, false), rows[i].patience_ms * MS);
        assert_int_equal(pace_verdict_us(&pace, true), (rows[i].patience_ms + 2500) * MS);
        assert_int_equal(pace_is_quick(&pace), rows[i].is_quick);
    }
}

/* A verdict takes at least a whole turn, so the shortest one is the best bound of a turn. */
static void test_patience_after_a_verdict(void **state)
{
    (void)state;
    struct pace pace = {0};

    pace_measure_challenge(&pace, 4000 * MS);
    pace_measure_verdict(&pace, 6000 * MS);
    assert_int_equal(pace_patience_us(&pace), 9000 * MS);
    pace_measure_verdict(&pace, 8000 * MS);
    assert_int_equal(pace_patience_us(&pace), 9000 * MS);
    pace_measure_verdict(&pace, 2000 * MS);
    assert_int_equal(pace_patience_us(&pace), 3000 * MS);
    assert_int_equal(pace_verdict_us(&pace, true), 3000 * MS);
    assert_int_equal(pace.challenge_us, 2000 * MS);
    pace_measure_challenge(&pace, 5000 * MS);
    assert_int_equal(pace_patience_us(&pace), 3000 * MS);
    pace_measure_verdict(&pace, 5 * MS);
    assert_int_equal(pace_patience_us(&pace), 500 * MS);
    assert_true(pace_is_quick(&pace));
}

static void test_resends(void **state)
{
    (void)state;
    static const int64_t expected[] = {700, 700, 700, 1400, 1400, 1400, 2800, 2800, 2800, 5600};
    struct pace quick = {.challenge_us = 5 * MS}, slow = {.challenge_us = 4000 * MS};
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(pace_resend_us(700, i + 1), expected[i]);
    assert_int_equal(pace_resend_us(700, 1000), 11200);
    assert_int_equal(pace_limit_us(&quick), 30000 * MS);
    assert_int_equal(pace_limit_us(&slow), 39000 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_board_that_was_never_heard),
        cmocka_unit_test(test_patience_after_a_challenge),
        cmocka_unit_test(test_patience_after_a_verdict),
        cmocka_unit_test(test_resends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
