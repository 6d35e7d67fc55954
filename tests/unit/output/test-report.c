/*
 * test-report.c: the output for people and for programs, event by event.
 */
#include "output/remedy.h"
#include "output/report.h"

#include "support/capture.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct capture capture;
static char path[] = "/some/dir/fw\x1b.bin";
static struct image image = {.file_size = 20480,
                             .path = path,
                             .size = 10240,
                             .md5 = "00112233445566778899aabbccddeeff",
                             .sha256 = "0011"};
static const struct ota_failure success = {.error = OTA_OK};
static const struct ota_failure stalled = {.error = OTA_E_STALLED,
                                           .message = "the board stopped taking data"};

static bool is_verdict_lost; /* of a result */

/* The clock stands still, so that each duration is known. */
int64_t __wrap_loop_now_us(void);

int64_t __wrap_loop_now_us(void)
{
    return 1000000;
}

static enum surroundings surroundings; /* of the program */

enum surroundings __wrap_surroundings_find(void);

enum surroundings __wrap_surroundings_find(void)
{
    return surroundings;
}

static const struct ota_totals one = {.boards = 1, .running = 1};

static struct ota_event event(enum ota_event_type type)
{
    return (struct ota_event){.type = type,
                              .board = "kitchen.local",
                              .address = "192.0.2.7",
                              .port = 8266,
                              .source = "mDNS",
                              .port_source = "the announced port",
                              .image = &image,
                              .protocol = "espota",
                              .total = image.size,
                              .totals = &one};
}

static void report_told_event(struct report *report, enum ota_event_type type, size_t bytes,
                              int64_t us)
{
    struct ota_event told = event(type);

    told.bytes = bytes;
    told.transfer_us = told.elapsed_us = us;
    told.attempt = 1;
    told.scheme = "MD5";
    told.evidence = "reply";
    told.message = "a note";
    told.phase = OTA_PHASE_TRANSFER;
    report_event(&told, report);
}

static void tell_result(struct report *report, const struct ota_failure *failure)
{
    struct ota_event told = event(OTA_EVENT_RESULT);

    told.phase = OTA_PHASE_TRANSFER;
    told.failure = failure;
    told.is_verdict_lost = is_verdict_lost;
    told.verified = failure->error == OTA_OK && !is_verdict_lost ? "board" : NULL;
    told.exit_status = ota_error_exit_status(failure->error, 0);
    told.bytes = failure->error == OTA_OK ? image.size : 5120;
    told.transfer_us = 2000000;
    told.elapsed_us = 2500000;
    report_event(&told, report);
}

static void run_report(const struct report_settings *settings, const struct ota_failure *failure)
{
    capture_begin(&capture);
    struct report *report = report_new(settings);
    report_told_event(report, OTA_EVENT_START, 0, 0);
    report_told_event(report, OTA_EVENT_RESOLVED, 0, 0);
    report_told_event(report, OTA_EVENT_INVITED, 0, 0);
    report_told_event(report, OTA_EVENT_AUTHENTICATED, 0, 0);
    report_told_event(report, OTA_EVENT_CONNECTED, 0, 0);
    for (size_t bytes = 512; bytes <= 5120; bytes += 512)
        report_told_event(report, OTA_EVENT_PROGRESS, bytes, (int64_t)bytes * 100);
    report_told_event(report, OTA_EVENT_NOTE, 0, 0);
    tell_result(report, failure);
    report_free(report);
    capture_end(&capture);
}

static void test_plain_report(void **state)
{
    (void)state;
    const struct report_settings settings = {0};

    run_report(&settings, &success);
    assert_string_equal(capture.text_out, "");
    assert_string_equal(
        capture.text_err,
        "kitchen.local is 192.0.2.7 (mDNS), port 8266 (the announced port)\n"
        "kitchen.local: 10% (1.0 KiB of 10.0 KiB, 9.8 KiB/s)\n"
        "kitchen.local: 20% (2.0 KiB of 10.0 KiB, 9.8 KiB/s)\n"
        "kitchen.local: 30% (3.0 KiB of 10.0 KiB, 9.8 KiB/s)\n"
        "kitchen.local: 40% (4.0 KiB of 10.0 KiB, 9.8 KiB/s)\n"
        "kitchen.local: 50% (5.0 KiB of 10.0 KiB, 9.8 KiB/s)\n"
        "kitchen.local: a note\n"
        "kitchen.local: sketch fw\\x1b.bin, 10.0 KiB, sent in 2.0 s (5.0 KiB/s) and confirmed by "
        "the board\n");
}

/* The verdict takes as long again. */
static void test_the_last_line_has_the_rate_of_the_bar(void **state)
{
    (void)state;
    const struct report_settings settings = {0};
    const struct ota_failure failure = {.error = OTA_OK};
    struct ota_event told = event(OTA_EVENT_PROGRESS);

    told.bytes = image.size;
    told.transfer_us = told.sent_us = 1000000;
    capture_begin(&capture);
    struct report *report = report_new(&settings);
    report_event(&told, report);
    told.type = OTA_EVENT_RESULT;
    told.failure = &failure;
    told.transfer_us = 2000000;
    report_event(&told, report);
    report_free(report);
    capture_end(&capture);
    assert_string_equal(
        capture.text_err,
        "kitchen.local: 100% (10.0 KiB of 10.0 KiB, 10.0 KiB/s)\n"
        "kitchen.local: sketch fw\\x1b.bin, 10.0 KiB, sent in 1.0 s (10.0 KiB/s) and confirmed by "
        "the board\n");
}

/* What it rests on where the board's word is missing. */
static void test_proven(void **state)
{
    (void)state;
    const struct ota_failure proven = {.error = OTA_OK,
                                       .message = "its verdict was lost, but its log said it"};
    struct report_settings settings = {0};

    is_verdict_lost = true;
    run_report(&settings, &proven);
    assert_non_null(strstr(
        capture.text_err, "kitchen.local: sketch fw\\x1b.bin, 10.0 KiB, sent in 2.0 s (5.0 KiB/s); "
                          "its verdict was lost, but its log said it\n"));
    settings = (struct report_settings){.json = true, .quiet = true};
    run_report(&settings, &proven);
    assert_non_null(strstr(capture.text_out, "\"verified\":\"proof\""));
    is_verdict_lost = false;
    run_report(&settings, &success);
    assert_non_null(strstr(capture.text_out, "\"verified\":\"board\""));
    run_report(&settings, &stalled);
    assert_non_null(strstr(capture.text_out, "\"verified\":null"));
}

static void test_failure_and_quiet(void **state)
{
    (void)state;
    const struct report_settings settings = {.quiet = true};

    run_report(&settings, &success);
    assert_string_equal(capture.text_err, "");
    run_report(&settings, &stalled);
    char expected[1024];
    snprintf(expected, sizeof expected,
             "esp-ota: kitchen.local: transfer: the board stopped taking data\n  %s\n",
             remedy_find(&stalled, NULL, OTA_COMMAND_SKETCH, "", SURROUNDINGS_PLAIN));
    assert_string_equal(capture.text_err, expected);
    assert_string_equal(capture.text_out, "");
}

static void test_debug(void **state)
{
    (void)state;
    const struct report_settings settings = {.debug = true};
    run_report(&settings, &success);
    assert_non_null(strstr(capture.text_err, "kitchen.local is 192.0.2.7 (mDNS), port 8266 "
                                             "(the announced port)\n"));
}

/* mDNS has told the address, and nobody the port. */
static void test_port_is_no_part_of_what_was_found(void **state)
{
    (void)state;
    struct ota_event told = event(OTA_EVENT_RESOLVED);
    told.port = 3232;
    told.port_source = "the default port of ESP32 boards";

    capture_begin(&capture);
    struct report *report = report_new(&(struct report_settings){0});
    report_event(&told, report);
    report_free(report);
    capture_end(&capture);

    assert_string_equal(capture.text_err, "kitchen.local is 192.0.2.7 (mDNS), port 3232 (the "
                                          "default port of ESP32 boards)\n");
}

/* Its name is its address, so that only the port is news. */
static void test_board_at_an_address(void **state)
{
    (void)state;
    struct ota_event told = event(OTA_EVENT_RESOLVED);
    told.board = told.address;

    capture_begin(&capture);
    struct report *report = report_new(&(struct report_settings){.debug = true});
    report_event(&told, report);
    report_free(report);
    capture_end(&capture);

    assert_null(strstr(capture.text_err, "192.0.2.7 is"));
    assert_non_null(strstr(capture.text_err, "] 192.0.2.7: port 8266, the announced port\n"));
}

static void test_bar(void **state)
{
    (void)state;
    const struct report_settings settings = {.force_bar = true, .command = OTA_COMMAND_FILESYSTEM};

    run_report(&settings, &success);
    assert_non_null(strstr(capture.text_err, "]   0%     0.0 KiB"));
    assert_non_null(strstr(capture.text_err, "\nkitchen.local: a note\n"));
    assert_non_null(strstr(capture.text_err, "\nkitchen.local: filesystem image fw"));
    /* Eleven events in no time are at most a few redraws. */
    size_t redraws = 0;
    for (const char *at = capture.text_err; (at = strchr(at, '[')); at++)
        redraws++;
    assert_in_range(redraws, 1, 3);
}

/* Both sizes are there: of what is sent, and of the file. */
static void test_compressed_image(void **state)
{
    static struct image plain;
    const struct report_settings settings = {.quiet = false};
    (void)state;

    image.plain = &plain;
    image.file_size = 20480;
    run_report(&settings, &success);
    image.plain = NULL;
    assert_non_null(strstr(capture.text_err, "(5.0 KiB of 10.0 KiB compressed from 20.0 KiB, "));
    assert_non_null(
        strstr(capture.text_err, "fw\\x1b.bin, 10.0 KiB compressed from 20.0 KiB, sent"));
}

static void assert_field(json_t *line, const char *name, const char *value)
{
    assert_non_null(json_object_get(line, name));
    assert_string_equal(json_string_value(json_object_get(line, name)), value);
}

static void test_json(void **state)
{
    (void)state;
    static const char *const names[] = {"start", "resolved", "invited", "authenticated",
                                        "connected"};
    const struct report_settings settings = {.json = true, .quiet = true};

    run_report(&settings, &stalled);
    char *rest = capture.text_out;
    json_t *last = NULL;
    size_t lines = 0;
    for (char *text; (text = strsep(&rest, "\n")) && *text; lines++) {
        json_decref(last);
        last = json_loads(text, 0, NULL);
        assert_non_null(last);
        assert_field(last, "board", "kitchen.local");
        assert_true(json_is_real(json_object_get(last, "time")));
        if (lines < 5)
            assert_field(last, "event", names[lines]);
        if (lines == 0) {
            assert_field(last, "file", "/some/dir/fw\\x1b.bin");
            assert_field(last, "md5", image.md5);
            assert_field(last, "command", "sketch");
            assert_field(last, "protocol", "espota");
            assert_int_equal(json_integer_value(json_object_get(last, "size")), 10240);
            assert_int_equal(json_integer_value(json_object_get(last, "original_size")), 20480);
        }
    }
    assert_int_equal(lines, 5 + 10 + 1 + 1);
    assert_field(last, "event", "result");
    assert_field(last, "code", "stalled");
    assert_field(last, "phase", "transfer");
    assert_field(last, "protocol", "espota");
    assert_field(last, "message", "the board stopped taking data");
    assert_true(json_is_false(json_object_get(last, "ok")));
    assert_int_equal(json_integer_value(json_object_get(last, "exit_status")), 9);
    assert_int_equal(json_integer_value(json_object_get(last, "bytes")), 5120);
    assert_int_equal(json_integer_value(json_object_get(last, "original_size")), 20480);
    assert_int_equal(json_integer_value(json_object_get(last, "port")), 8266);
    assert_field(last, "command", "sketch");
    assert_field(last, "sha256", "0011");
    json_decref(last);
}

static void test_json_that_cannot_be_written(void **state)
{
    (void)state;
    const struct report_settings settings = {.json = true, .quiet = true};
    struct ota_failure loss;
    int saved = dup(STDOUT_FILENO);
    int full = open("/dev/full", O_WRONLY);

    fflush(stdout);
    dup2(full, STDOUT_FILENO);
    struct report *report = report_new(&settings);
    assert_true(report_is_complete(report, &loss));
    report_told_event(report, OTA_EVENT_START, 0, 0);
    assert_false(report_is_complete(report, &loss));
    assert_string_equal(loss.message,
                        "the report of --json could not be written to standard output: No "
                        "space left on device");
    assert_int_equal(loss.cause, OTA_CAUSE_DISK_FULL);
    report_told_event(report, OTA_EVENT_CONNECTED, 0, 0);
    dup2(saved, STDOUT_FILENO);
    clearerr(stdout);
    report_free(report);
    close(saved);
    close(full);
}

/* Boards cannot reach the address of a container. */
static void test_serving(void **state)
{
    static const struct {
        enum surroundings where;
        size_t urls;
        const char *told; /* after the URL; NULL: nothing */
    } rows[] = {
        {SURROUNDINGS_PLAIN, 1, NULL},
        {SURROUNDINGS_CONTAINER, 1, "  Start the container with --network host, or publish"},
        {SURROUNDINGS_DESKTOP, 1, "  Publish the port of --serve"},
        {SURROUNDINGS_WSL, 1, "  Let Windows' Hyper-V firewall pass the port of --serve"},
        {SURROUNDINGS_MIRRORED, 1, NULL},
        {SURROUNDINGS_CONTAINER, 0, NULL},
    };
    static const char line[] = "boards fetch from http://172.17.0.2:8080/fw.bin\n";
    char url[] = "http://172.17.0.2:8080/fw.bin";
    char *items[] = {url};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct strings urls = {.items = items, .count = rows[i].urls};

        surroundings = rows[i].where;
        capture_begin(&capture);
        struct report *report = report_new(&(struct report_settings){.json = false});
        assert_non_null(report);
        report_serving(report, &urls, 8080);
        report_free(report);
        capture_end(&capture);
        if (rows[i].urls)
            assert_memory_equal(capture.text_err, line, strlen(line));
        if (rows[i].told)
            assert_non_null(strstr(capture.text_err, rows[i].told));
        else if (rows[i].urls)
            assert_string_equal(capture.text_err, line);
        else
            assert_null(strstr(capture.text_err, "container"));
    }
    surroundings = SURROUNDINGS_PLAIN;
}

static void test_failure_of_no_board(void **state)
{
    (void)state;
    const struct report_settings settings = {.json = true};
    const struct ota_failure failure = {.error = OTA_E_IMAGE, .message = "cannot open x"};

    capture_begin(&capture);
    struct report *report = report_new(&settings);
    assert_int_equal(report_failure(report, &failure), 3);
    assert_int_equal(report_failure(NULL, &failure), 3);
    report_free(report);
    capture_end(&capture);
    assert_string_equal(capture.text_err, "esp-ota: cannot open x\nesp-ota: cannot open x\n");
    json_t *line = json_loads(capture.text_out, 0, NULL);
    assert_field(line, "event", "result");
    assert_field(line, "code", "image");
    assert_true(json_is_null(json_object_get(line, "board")));
    json_decref(line);
}

/* A fleet: a line for each board, failures without their remedies, which the end gives once. */
static void play_fleet(const struct report_settings *settings)
{
    struct ota_totals totals = {.boards = 5, .running = 2, .total = 5 * image.size};
    struct ota_event told;

    capture_begin(&capture);
    struct report *report = report_new(settings);
    for (enum ota_event_type type = OTA_EVENT_START; type <= OTA_EVENT_CONNECTED; type++) {
        told = event(type);
        told.totals = &totals;
        told.scheme = "MD5";
        told.evidence = "reply";
        report_event(&told, report);
    }
    told = event(OTA_EVENT_PROGRESS);
    told.bytes = totals.bytes = image.size;
    told.totals = &totals;
    report_event(&told, report);
    told.type = OTA_EVENT_RESULT;
    told.phase = OTA_PHASE_RESULT;
    told.failure = &success;
    told.transfer_us = 2000000;
    totals.confirmed = 1;
    report_event(&told, report);
    for (size_t i = 0; i < 2; i++) {
        told.board = i ? "attic" : "cellar";
        told.phase = OTA_PHASE_TRANSFER;
        told.failure = &stalled;
        told.exit_status = 9;
        totals.failed++;
        report_event(&told, report);
    }
    struct ota_failure loss;
    told = event(OTA_EVENT_SKIPPED);
    told.totals = &totals;
    for (enum ota_skip skip = OTA_SKIP_UNTRIED; skip <= OTA_SKIP_DUPLICATE; skip++) {
        told.board = skip == OTA_SKIP_UNTRIED ? "porch" : "twin";
        told.skip = skip;
        told.message = skip == OTA_SKIP_UNTRIED ? "not tried" : "is the same board as attic";
        totals.skipped++;
        report_event(&told, report);
    }
    report_summary(report, OTA_E_STALLED, 9);
    assert_true(report_is_complete(report, &loss));
    report_free(report);
    capture_end(&capture);
}

static void test_fleet(void **state)
{
    (void)state;
    char expected[2048];
    const char *remedy = remedy_find(&stalled, NULL, OTA_COMMAND_SKETCH, "", SURROUNDINGS_PLAIN);

    play_fleet(&(struct report_settings){0});
    assert_string_equal(capture.text_out, "");
    const char *at =
        strstr(capture.text_err, "0 of 5 done, 2 running, 3 waiting: 20% (10.0 KiB of 50.0 KiB, ");
    assert_ptr_equal(at, capture.text_err);
    snprintf(expected, sizeof expected,
             "kitchen.local: confirmed, 10.0 KiB in 2.0 s (5.0 KiB/s)\n"
             "esp-ota: cellar: transfer: the board stopped taking data\n"
             "esp-ota: attic: transfer: the board stopped taking data\n"
             "twin: is the same board as attic\n"
             "esp-ota: 2 boards: the transfer stopped making progress (stalled): cellar, attic\n"
             "  %s\n"
             "esp-ota: not tried: porch\n"
             "esp-ota: 1 of 5 boards confirmed, 2 failed, 1 not tried, 1 skipped, in 0.0 s\n",
             remedy);
    assert_string_equal(strchr(at, '\n') + 1, expected);
}

static void test_fleet_bar(void **state)
{
    (void)state;
    play_fleet(&(struct report_settings){.force_bar = true});
    assert_non_null(strstr(capture.text_err, "0 of 5 done, 2 running, 3 waiting   0%"));
}

/* Once all boards are done, no line says how much time is left. */
static void test_fleet_bar_ends(void **state)
{
    (void)state;
    struct ota_totals totals = {.boards = 2, .running = 2, .bytes = 10240, .total = 20480};
    struct ota_event told = event(OTA_EVENT_CONNECTED);
    struct report *report;

    capture_begin(&capture);
    report = report_new(&(struct report_settings){.force_bar = true});
    assert_non_null(report);
    told.totals = &totals;
    report_event(&told, report);
    fputs("<", stderr);
    told = event(OTA_EVENT_RESULT);
    told.failure = &stalled;
    told.totals = &totals;
    totals.failed = 2;
    report_event(&told, report);
    report_free(report);
    capture_end(&capture);
    assert_null(strstr(strchr(capture.text_err, '<'), "2 of 2 done"));
}

static void tell_waiting(ota_standing_fn *tell, void *tell_userdata, const void *userdata)
{
    const bool *is_there = userdata;

    tell(&(struct ota_standing){.is_waited_for = !*is_there, .wait_left_us = 5000000},
         tell_userdata);
    tell(&(struct ota_standing){.is_waited_for = !*is_there, .wait_left_us = 9000000},
         tell_userdata);
}

/* --wait: drawn while boards are waited for, and erased then. */
static void test_count_down(void **state)
{
    (void)state;
    const bool is_there = true, is_away = false;
    struct report *report;

    capture_begin(&capture);
    report = report_new(&(struct report_settings){.force_bar = true});
    assert_non_null(report);
    report_ask(report, tell_waiting, &is_away);
    report_count_down(report);
    report_ask(report, tell_waiting, &is_there);
    report_count_down(report);
    report_count_down(report);
    report_free(report);
    report = report_new(&(struct report_settings){.quiet = true, .force_bar = true});
    assert_non_null(report);
    report_ask(report, tell_waiting, &is_away);
    report_count_down(report);
    report_free(report);
    capture_end(&capture);
    assert_non_null(strstr(capture.text_err, "waiting for 2 boards, 0:09 left"));
    assert_null(strstr(strstr(capture.text_err, "left"), "waiting"));
}

/* 45 boards, of which two wait for their next attempt. */
static void tell_many(ota_standing_fn *tell, void *tell_userdata, const void *userdata)
{
    (void)userdata;
    for (int i = 0; i < 45; i++) {
        char name[16];

        snprintf(name, sizeof name, "board-%d", i);
        tell(&(struct ota_standing){.board = name,
                                    .doing = i < 2 ? OTA_DOING_RETRY : OTA_DOING_UPLOAD,
                                    .phase = OTA_PHASE_TRANSFER,
                                    .ended_in = OTA_PHASE_TRANSFER,
                                    .reason = i == 0 ? "no answer" : "",
                                    .total = 2000,
                                    .bytes = 500,
                                    .transfer_us = 1000000},
             tell_userdata);
    }
}

/* SIGUSR1: of many boards the first 40, after those that are retried, and how many more there
 * are. */
static void test_status(void **state)
{
    (void)state;
    struct ota_totals totals = {.boards = 45, .running = 43, .retrying = 2, .bytes = 1024};
    struct report *report;

    capture_begin(&capture);
    report = report_new(&(struct report_settings){.quiet = true});
    assert_non_null(report);
    report_ask(report, tell_many, NULL);
    report_status(report, &totals);
    report_ask(report, NULL, NULL);
    totals = (struct ota_totals){.is_open = true};
    report_status(report, &totals);
    totals.boards = 1;
    report_status(report, &totals);
    totals.is_open = false;
    report_status(report, &totals); /* of one board, all is said by its standing */
    report_free(report);
    capture_end(&capture);

    const char *at = strstr(capture.text_err, "0 of 45 done, 43 running, 2 retrying; 1.0 KiB of ");
    assert_non_null(at);
    at = strstr(at, "  board-0: waits for its next attempt, after transfer: no answer\n"
                    "  board-1: waits for its next attempt\n"
                    "  board-2: transfer, 25% (500 bytes of 2.0 KiB, ");
    assert_non_null(at);
    assert_non_null(strstr(at, "  board-41: "));
    assert_null(strstr(at, "  board-42: "));
    at = strstr(at, "\n  ... and 3 others\nno board has asked yet, after 0.0 s\n"
                    "0 of 1 done, 1 waiting; 0 bytes of ");
    assert_non_null(at);
    assert_null(strstr(strstr(at, " done") + 1, " done"));
}

/* Warnings that an image may not suit are no matter of taste. */
static void test_warning(void **state)
{
    (void)state;
    struct ota_event told = event(OTA_EVENT_NOTE);
    struct report *report;

    told.message = "needs a cable";
    told.is_warning = true;
    capture_begin(&capture);
    report = report_new(&(struct report_settings){.quiet = true});
    assert_non_null(report);
    report_event(&told, report);
    report_free(report);
    capture_end(&capture);
    assert_string_equal(capture.text_err, "esp-ota: warning: kitchen.local: needs a cable\n");
}

/* Of many boards, the first one that asks in each weak way is named, before the one password is
 * typed. */
static void test_fleet_weak(void **state)
{
    (void)state;
    static const char *const schemes[] = {"MD5", "Basic", "MD5", "PIN", "Basic", "PIN"};
    const struct ota_totals totals = {.boards = 6, .running = 6};
    struct ota_event told = event(OTA_EVENT_NOTE);
    struct report *report;

    told.totals = &totals;
    told.is_important = true;
    capture_begin(&capture);
    report = report_new(&(struct report_settings){0});
    assert_non_null(report);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        told.scheme = told.message = schemes[i];
        report_event(&told, report);
    }
    report_free(report);
    capture_end(&capture);
    assert_string_equal(capture.text_err,
                        "kitchen.local: MD5\nkitchen.local: Basic\nkitchen.local: PIN\n");
}

static void test_fleet_json(void **state)
{
    (void)state;

    play_fleet(&(struct report_settings){.json = true, .quiet = true});
    assert_ptr_equal(strstr(capture.text_err, "esp-ota: cellar: "), capture.text_err);
    assert_non_null(strstr(capture.text_out, "\"board\":\"porch\",\"code\":\"untried\","));
    char *last = strstr(capture.text_out, "{\"event\":\"summary\"");
    assert_non_null(last);
    json_t *line = json_loads(last, 0, NULL);
    assert_non_null(line);
    assert_field(line, "code", "stalled");
    assert_int_equal(json_integer_value(json_object_get(line, "exit_status")), 9);
    assert_int_equal(json_integer_value(json_object_get(line, "boards")), 5);
    assert_int_equal(json_integer_value(json_object_get(line, "confirmed")), 1);
    assert_int_equal(json_integer_value(json_object_get(line, "failed")), 2);
    assert_int_equal(json_integer_value(json_object_get(line, "skipped")), 2);
    json_decref(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_report),
        cmocka_unit_test(test_proven),
        cmocka_unit_test(test_the_last_line_has_the_rate_of_the_bar),
        cmocka_unit_test(test_failure_and_quiet),
        cmocka_unit_test(test_debug),
        cmocka_unit_test(test_port_is_no_part_of_what_was_found),
        cmocka_unit_test(test_board_at_an_address),
        cmocka_unit_test(test_bar),
        cmocka_unit_test(test_compressed_image),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_that_cannot_be_written),
        cmocka_unit_test(test_serving),
        cmocka_unit_test(test_failure_of_no_board),
        cmocka_unit_test(test_fleet),
        cmocka_unit_test(test_fleet_bar),
        cmocka_unit_test(test_fleet_bar_ends),
        cmocka_unit_test(test_count_down),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_warning),
        cmocka_unit_test(test_fleet_weak),
        cmocka_unit_test(test_fleet_json),
    };

    setenv("TERM", "xterm", 1); /* there is none in cron, and then no progress bar */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
