/*
 * test-standing.c: the progress of a fleet in words.
 */
#include "output/standing.h"

#include "support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_count(void **state)
{
    (void)state;
    static const struct {
        struct ota_totals totals;
        const char *whole, *brief;
    } rows[] = {
        {{.boards = 40, .running = 16, .retrying = 2, .confirmed = 10, .failed = 1, .skipped = 1},
         "12 of 40 done, 1 failed, 16 running, 2 retrying, 10 waiting",
         "12/40 done, 1 failed, 16 run, 2 retry, 10 wait"},
        {{.boards = 2, .running = 2}, "0 of 2 done, 2 running", "0/2 done, 2 run"},
        {{.boards = 2, .confirmed = 2}, "2 of 2 done", "2/2 done"},
        {{.boards = 2, .confirmed = 1, .retrying = 1},
         "1 of 2 done, 1 retrying",
         "1/2 done, 1 retry"},
    };
    char text[STANDING_TEXT_MAX];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(standing_count(text, &rows[i].totals, false), rows[i].whole);
        assert_string_equal(standing_count(text, &rows[i].totals, true), rows[i].brief);
    }
}

static struct ota_standing transfer(const char *board, size_t bytes, int64_t us)
{
    return (struct ota_standing){.board = board,
                                 .doing = OTA_DOING_UPLOAD,
                                 .phase = OTA_PHASE_TRANSFER,
                                 .reason = "",
                                 .bytes = bytes,
                                 .total = 1000,
                                 .transfer_us = us};
}

static void test_slowest(void **state)
{
    (void)state;
    struct standing_slowest slowest = {0};
    char text[STANDING_TEXT_MAX];
    struct ota_standing rows[] = {
        transfer("just connected", 0, 1000),
        transfer("quick", 900, 1000000),
        transfer("slow", 123, 1000000),
        transfer("further, but no quicker than slow needs", 500, 2000000),
        transfer("rests", 1, 5000000),
        transfer("is verified", 1, 5000000),
    };

    rows[4].doing = OTA_DOING_RETRY;
    rows[5].phase = OTA_PHASE_RESULT;
    standing_find_slowest(&rows[0], &slowest);
    assert_string_equal(standing_name_slowest(text, &slowest), "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        standing_find_slowest(&rows[i], &slowest);
    assert_string_equal(standing_name_slowest(text, &slowest), ", slowest slow 12%, all");
}

/* A long name is cut between characters. */
static void test_long_name(void **state)
{
    (void)state;
    struct standing_slowest slowest = {0};
    char text[STANDING_TEXT_MAX];
    struct ota_standing standing =
        transfer("1234567890123456789012345678901", 0, 1000000); /* 31 bytes fit */

    standing_find_slowest(&standing, &slowest);
    assert_string_equal(standing_name_slowest(text, &slowest),
                        ", slowest 1234567890123456789012345678901 0%, all");
    slowest = (struct standing_slowest){0};
    standing.board = "123456789012345678901234567\xc3\xbc"
                     "90123";
    standing_find_slowest(&standing, &slowest);
    assert_string_equal(standing_name_slowest(text, &slowest),
                        ", slowest 123456789012345678901234567... 0%, all");
}

static void test_standing_lines(void **state)
{
    (void)state;
    struct capture capture;
    struct ota_standing standing = transfer("attic", 512, 1000000);
    struct standing_filter others = {.indent = "  "}, retries = {.indent = "", .retries = true};

    capture_begin(&capture);
    standing_show(&standing, &others);
    standing_show(&standing, &retries);
    standing.phase = OTA_PHASE_INVITE;
    standing_show(&standing, &others);
    standing.doing = OTA_DOING_PASSWORD;
    standing_show(&standing, &others);
    standing.doing = OTA_DOING_LOG;
    standing_show(&standing, &others);
    standing.doing = OTA_DOING_RETRY;
    standing_show(&standing, &others);
    standing_show(&standing, &retries);
    standing.reason = "silence";
    standing.ended_in = OTA_PHASE_INVITE;
    standing_show(&standing, &retries);
    standing.next_attempt = 2;
    standing.attempts = 3;
    standing.pause_left_us = 1600000;
    standing_show(&standing, &retries);
    standing.next_attempt = 0;
    standing.doing = OTA_DOING_UPLOAD;
    standing.phase = OTA_PHASE_RESOLVE;
    standing_show(&standing, &others);
    standing.attempt = 2;
    standing_show(&standing, &others);
    standing.phase = OTA_PHASE_TRANSFER;
    standing_show(&standing, &others);
    standing.doing = OTA_DOING_RETRY;
    for (int i = 0; i < 50; i++)
        standing_show(&standing, &retries);
    capture_end(&capture);

    assert_ptr_equal(
        strstr(capture.text_err,
               "  attic: transfer, 51% (512 bytes of 1000 bytes, 0.5 KiB/s)\n"
               "  attic: invitation\n"
               "  attic: waits for the password\n"
               "  attic: its log is followed\n"
               "attic: waits for its next attempt\n"
               "attic: waits for its next attempt, after invitation: silence\n"
               "attic: waits for attempt 2 of 3 in 2 s, after invitation: silence\n"
               "  attic: resolution; after invitation: silence\n"
               "  attic: resolution; attempt 2 of 3, after invitation: silence\n"
               "  attic: transfer, 51% (512 bytes of 1000 bytes, 0.5 KiB/s); attempt 2 of "
               "3, after invitation: silence\n"),
        capture.text_err);
    assert_int_equal(retries.shown, 40);
    assert_int_equal(retries.hidden, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_slowest),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_standing_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
