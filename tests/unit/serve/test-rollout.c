/*
 * test-rollout.c: whose turn it is.
 */
#include "serve/rollout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_turns(void **state)
{
    (void)state;
    static const struct {
        struct rollout_rules rules;   /* downloads, canaries, failures */
        struct rollout_counts counts; /* downloads, canaries, confirmed, failed; failures; here */
        bool is_canary, can_confirm;
        enum turn turn;
    } rows[] = {
        {{2, 0, 0}, {0, 0, 0, 0, 0, 0}, false, false, TURN_NOW},
        {{2, 0, 0}, {1, 0, 0, 0, 9, 0}, false, false, TURN_NOW},
        {{2, 0, 0}, {2, 0, 0, 0, 0, 0}, false, true, TURN_FULL},
        /* one address: half, rounded up */
        {{3, 0, 0}, {1, 0, 0, 0, 0, 1}, false, true, TURN_NOW},
        {{3, 0, 0}, {2, 0, 0, 0, 0, 2}, false, true, TURN_FULL_HERE},
        {{3, 0, 0}, {2, 0, 0, 0, 0, 0}, false, true, TURN_NOW},
        {{3, 0, 0}, {3, 0, 0, 0, 0, 2}, false, true, TURN_FULL},
        {{1, 0, 0}, {0, 0, 0, 0, 0, 0}, false, true, TURN_NOW},
        {{2, 0, 3}, {0, 0, 0, 0, 2, 0}, false, true, TURN_NOW},
        {{2, 0, 3}, {0, 0, 0, 0, 3, 0}, false, true, TURN_STOPPED},
        {{2, 0, 3}, {2, 0, 0, 0, 3, 0}, false, true, TURN_STOPPED},
        /* two canaries */
        {{9, 2, 0}, {0, 0, 0, 0, 0, 0}, false, true, TURN_NOW},
        {{9, 2, 0}, {0, 0, 0, 0, 0, 0}, false, false, TURN_CANARIES},
        {{9, 2, 0}, {0, 1, 1, 0, 0, 0}, false, true, TURN_NOW},
        {{9, 2, 0}, {0, 2, 1, 0, 0, 0}, false, true, TURN_CANARIES},
        {{9, 2, 0}, {0, 2, 1, 0, 0, 0}, true, true, TURN_NOW},
        {{9, 2, 0}, {0, 2, 2, 0, 0, 0}, false, true, TURN_NOW},
        {{9, 2, 0}, {0, 2, 2, 0, 0, 0}, false, false, TURN_NOW},
        {{9, 2, 0}, {0, 2, 1, 1, 1, 0}, false, true, TURN_STOPPED},
        {{9, 2, 0}, {0, 2, 0, 1, 1, 0}, true, true, TURN_NOW},
        {{9, 2, 1}, {0, 2, 0, 1, 1, 0}, true, true, TURN_STOPPED},
        {{1, 2, 0}, {1, 1, 0, 0, 0, 0}, false, true, TURN_FULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(
            rollout_turn(&rows[i].rules, &rows[i].counts, rows[i].is_canary, rows[i].can_confirm),
            rows[i].turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_turns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
