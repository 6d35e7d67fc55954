/*
 * test-summary.c: the summary at the end of a fleet.
 */
#include "output/summary.h"

#include "base/diag.h"
#include "support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct capture capture;

static void add_failure(struct summary *summary, const char *board, enum ota_error error,
                        const char *remedy)
{
    const struct ota_failure failure = {.error = error};
    summary_add(summary,
                &(struct ota_event){.type = OTA_EVENT_RESULT, .board = board, .failure = &failure},
                remedy);
}

static void add_result(struct summary *summary, const char *board, enum ota_error error)
{
    add_failure(summary, board, error, error == OTA_OK ? "" : "Do something.");
}

static void add_skipped(struct summary *summary, const char *board, enum ota_skip skip)
{
    summary_add(summary,
                &(struct ota_event){.type = OTA_EVENT_SKIPPED,
                                    .board = board,
                                    .skip = skip,
                                    .message = "not tried, as it rains"},
                "");
}

static void show(struct summary *summary, const struct ota_totals *totals)
{
    capture_begin(&capture);
    summary_show(summary, totals, 1234567);
    capture_end(&capture);
}

/* There is one group for each code and remedy, in the order of the codes. The boards of a group
 * stand in the order in which they ended. */
static void test_groups(void **state)
{
    (void)state;
    struct summary *summary = summary_new();

    assert_non_null(summary);
    add_failure(summary, "d", OTA_E_REFUSED, "Mend it.");
    add_failure(summary, "i", OTA_E_REFUSED, "");
    add_result(summary, "a", OTA_OK);
    add_result(summary, "c", OTA_E_NO_ANSWER);
    add_failure(summary, "b", OTA_E_REFUSED, "Mend it.");
    add_skipped(summary, "e", OTA_SKIP_UNTRIED);
    add_skipped(summary, "f", OTA_SKIP_CONFIRMED);
    add_skipped(summary, "g", OTA_SKIP_DUPLICATE);
    add_skipped(summary, "h", OTA_SKIP_UNTRIED);
    show(summary, &(struct ota_totals){.boards = 9, .confirmed = 1, .failed = 4, .skipped = 4});
    assert_string_equal(
        capture.text_err,
        "esp-ota: 1 board: the board does not answer (no-answer): c\n  Do something.\n"
        "esp-ota: 2 boards: the board refused the image (refused): d, b\n  Mend it.\n"
        "esp-ota: 1 board: the board refused the image (refused): i\n"
        "esp-ota: not tried, as it rains: e, h\n"
        "esp-ota: 1 of 9 boards confirmed, 4 failed, 2 not tried, 2 skipped, in 1.2 s\n");
    summary_free(summary);
}

/* A success is information, so --quiet suppresses it. */
static void test_success(void **state)
{
    (void)state;
    struct summary *summary = summary_new();
    const struct ota_totals totals = {.boards = 3, .confirmed = 2, .skipped = 1};

    add_skipped(summary, "f", OTA_SKIP_CONFIRMED);
    show(summary, &totals);
    assert_string_equal(capture.text_err, "2 of 3 boards confirmed, 1 skipped, in 1.2 s\n");
    diag_set_level(DIAG_LEVEL_ERROR);
    show(summary, &totals);
    assert_string_equal(capture.text_err, "");
    diag_set_level(DIAG_LEVEL_INFO);
    summary_free(summary);
}

static void test_dry_run(void **state)
{
    (void)state;
    struct summary *summary = summary_new();

    add_skipped(summary, "a", OTA_SKIP_DRY_RUN);
    add_skipped(summary, "b", OTA_SKIP_DRY_RUN);
    show(summary, &(struct ota_totals){.boards = 4, .failed = 1, .skipped = 3});
    assert_string_equal(capture.text_err, "esp-ota: 2 of 4 boards would be updated; nothing was "
                                          "sent, 1 failed, 1 skipped, in 1.2 s\n");
    summary_free(summary);
}

/* --resume: boards that have the image already are no failures, and nothing less than a success. */
static void test_resumed(void **state)
{
    (void)state;
    struct summary *summary = summary_new();

    show(summary, &(struct ota_totals){.boards = 9, .confirmed = 2, .skipped = 7, .resumed = 6});
    assert_string_equal(capture.text_err,
                        "2 of 9 boards confirmed, 6 had it already, 1 skipped, in 1.2 s\n");
    show(summary, &(struct ota_totals){.boards = 9, .skipped = 9, .resumed = 9});
    assert_string_equal(capture.text_err,
                        "all 9 boards have the image already; nothing was to be sent\n");
    summary_free(summary);
}

/* Names that do not fit are counted, and no name is cut. */
static void test_many_names(void **state)
{
    (void)state;

    enum { BOARDS = 1000 };
    struct summary *summary = summary_new();
    for (int i = 0; i < BOARDS; i++) {
        char name[32];
        snprintf(name, sizeof name, "board-%04d.local", i);
        add_result(summary, name, OTA_E_LOST);
    }
    show(summary, &(struct ota_totals){.boards = BOARDS, .failed = BOARDS});

    const char *end = strstr(capture.text_err, " others\n");
    assert_non_null(end);
    const char *tail = strstr(capture.text_err, ".local and ");
    assert_non_null(tail);
    unsigned long last = strtoul(tail - 4, NULL, 10);
    unsigned long others = strtoul(tail + strlen(".local and "), NULL, 10);
    assert_int_equal(last + 1 + others, BOARDS);
    assert_non_null(strstr(capture.text_err, "1000 boards: the connection was lost"));
    summary_free(summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),     cmocka_unit_test(test_success),
        cmocka_unit_test(test_dry_run),    cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
