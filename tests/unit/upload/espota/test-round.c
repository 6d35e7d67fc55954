/*
 * test-round.c: estimates of a board's queue from sequences of invitations, challenges and answers.
 */
#include "upload/espota/round.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define MS INT64_C(1000)

struct row {
    const char *events; /* I0 C5 A6: invitation, challenge and answer, each with its time in ms */
    unsigned unread;
    bool is_answerable, is_guess, is_doubtful;
    int challenge_ms;
    bool was_heard;
};

static const struct row rows[] = {
    {"I0 C5", 0, true, false, false, 5, false},
    {"I0 C3000", 0, true, false, false, 3000, false},
    {"I0 C5 A6 A500", 0, true, false, false, 5, false},
    /* the first invitation was lost, or the board is slow */
    {"I0 I3800 C3805", 1, true, true, false, 5, false},
    {"I0 I3800 C4050", 1, true, true, false, 250, false},
    {"I0 I3800 C4051", 1, false, true, false, 4051, false},
    {"I0 I500 C505", 1, true, false, false, 5, true},
    {"I0 I500 C1505", 1, false, false, false, 1505, true},
    {"I0 I3800 I7600 C7605", 2, true, true, true, 5, false},
    {"I0 I3800 I7600 C8000", 2, false, true, true, 8000, false},
    /* the third invitation has been read */
    {"I0 I3800 I7600 C8000 C9000", 0, true, false, false, 1400, false},
    {"I0 I3800 I7600 I8100 C8500 C9000", 1, false, true, false, 9000, false},
    /* more challenges than these invitations can have caused */
    {"I0 C5 C6", 0, true, false, true, 6, false},
    {"I0 I3800 C3805 C3806", 0, true, false, true, 6, false},
    {"I0 C5 A6 C7", 0, true, false, true, 7, false},
    {"I0 I3800 I7600 C7605 A7606 C9000", 0, true, false, true, 1400, false},
};

static struct round play_round(const struct row *row)
{
    struct round round = {.was_heard = row->was_heard};

    for (const char *next = row->events; *next; next += *next == ' ') {
        char *end;
        int64_t now_us = strtol(next + 1, &end, 10) * MS;
        if (*next == 'I')
            round_invited(&round, now_us);
        else if (*next == 'C')
            round_challenged(&round, now_us);
        else
            round_answered(&round, now_us);
        next = end;
    }
    return round;
}

static void test_rows(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct round round = play_round(&rows[i]);
        print_message("  %s\n", rows[i].events);
        assert_int_equal(round_unread(&round), rows[i].unread);
        assert_int_equal(round_is_answerable(&round), rows[i].is_answerable);
        assert_int_equal(round_is_guess(&round), rows[i].is_guess);
        assert_int_equal(round_is_doubtful(&round), rows[i].is_doubtful);
        assert_int_equal(round_challenge_us(&round), rows[i].challenge_ms * MS);
    }
}

static void test_refused_answers(void **state)
{
    (void)state;
    struct round round = play_round(&(struct row){.events = "I0 I3800", .was_heard = true});

    round.backlog = 2;
    round_refused(&round);
    assert_int_equal(round.backlog, 0);
    assert_true(round.was_heard);
    round_invited(&round, 4300 * MS);
    round_challenged(&round, 4305 * MS);
    assert_int_equal(round_unread(&round), 0);
    assert_int_equal(round_challenge_us(&round), 5 * MS);
    assert_false(round_is_doubtful(&round));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_refused_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
