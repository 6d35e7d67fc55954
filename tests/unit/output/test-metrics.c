/*
 * test-metrics.c: the file of --metrics: what results become in it, what of an earlier file stays,
 * and which files are not touched.
 */
#include "output/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "image/image.h"
#include "support/failing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test-metrics-XXXXXX", path[64];

static struct image image = {.sha256 = "00ff", .md5 = "11ee"};

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/m.prom", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char *read_whole_file(void)
{
    static char text[8192];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    return text;
}

/* One run with one result. */
static void note(const char *board, uint16_t port, enum ota_error error, time_t now)
{
    struct metrics *metrics;
    struct ota_failure failure, outcome = {.error = error};
    const struct ota_event event = {.type = OTA_EVENT_RESULT,
                                    .board = board,
                                    .target_port = port,
                                    .image = &image,
                                    .protocol = "espota",
                                    .bytes = 1234,
                                    .elapsed_us = 5678900,
                                    .failure = &outcome,
                                    .exit_status = ota_error_exit_status(error, 0)};

    assert_int_equal(metrics_open(&metrics, path, &failure), OTA_OK);
    metrics_add(metrics, &event, OTA_COMMAND_SKETCH, now);
    assert_int_equal(metrics_write(metrics, &failure), OTA_OK);
    metrics_free(metrics);
}

static void expect_line(const char *line)
{
    char with_ends[512];

    snprintf(with_ends, sizeof with_ends, "\n%s\n", line);
    if (!strstr(read_whole_file(), with_ends))
        fail_msg("%s is not in %s", line, read_whole_file());
}

static void test_success(void **state)
{
    (void)state;
    unlink(path);

    note("kitchen.local", 0, OTA_OK, 1000);
    assert_string_equal(
        read_whole_file(),
        "# HELP esp_ota_board_last_upload_timestamp_seconds When the last upload ended, however it "
        "did.\n"
        "# TYPE esp_ota_board_last_upload_timestamp_seconds gauge\n"
        "esp_ota_board_last_upload_timestamp_seconds{board=\"kitchen.local\",image=\"sketch\"} "
        "1000\n"
        "# HELP esp_ota_board_last_success_timestamp_seconds When the last successful upload "
        "ended.\n"
        "# TYPE esp_ota_board_last_success_timestamp_seconds gauge\n"
        "esp_ota_board_last_success_timestamp_seconds{board=\"kitchen.local\",image=\"sketch\"} "
        "1000\n"
        "# HELP esp_ota_board_last_upload_exit_status The exit status of the last upload, as in "
        "esp-ota(1); 0 is success.\n"
        "# TYPE esp_ota_board_last_upload_exit_status gauge\n"
        "esp_ota_board_last_upload_exit_status{board=\"kitchen.local\",image=\"sketch\"} 0\n"
        "# HELP esp_ota_board_last_upload_duration_seconds How long the last upload took.\n"
        "# TYPE esp_ota_board_last_upload_duration_seconds gauge\n"
        "esp_ota_board_last_upload_duration_seconds{board=\"kitchen.local\",image=\"sketch\"} "
        "5.678\n"
        "# HELP esp_ota_board_last_upload_received_bytes What the board has acknowledged of the "
        "last upload.\n"
        "# TYPE esp_ota_board_last_upload_received_bytes gauge\n"
        "esp_ota_board_last_upload_received_bytes{board=\"kitchen.local\",image=\"sketch\"} 1234\n"
        "# HELP esp_ota_board_last_upload_info The code of the last upload, as in "
        "esp-ota-json(7), and its protocol.\n"
        "# TYPE esp_ota_board_last_upload_info gauge\n"
        "esp_ota_board_last_upload_info{board=\"kitchen.local\",image=\"sketch\",code=\"ok\","
        "protocol=\"espota\"} 1\n"
        "# HELP esp_ota_board_image_info The image of the last successful upload.\n"
        "# TYPE esp_ota_board_image_info gauge\n"
        "esp_ota_board_image_info{board=\"kitchen.local\",image=\"sketch\",sha256=\"00ff\","
        "md5=\"11ee\"} 1\n");
}

static void test_failure_keeps_the_last_success(void **state)
{
    (void)state;
    unlink(path);

    note("kitchen.local", 0, OTA_OK, 1000);
    note("kitchen.local", 0, OTA_E_NO_ANSWER, 2000);
    expect_line("esp_ota_board_last_upload_timestamp_seconds{board=\"kitchen.local\","
                "image=\"sketch\"} 2000");
    expect_line("esp_ota_board_last_success_timestamp_seconds{board=\"kitchen.local\","
                "image=\"sketch\"} 1000");
    expect_line(
        "esp_ota_board_last_upload_exit_status{board=\"kitchen.local\",image=\"sketch\"} 5");
    expect_line("esp_ota_board_last_upload_info{board=\"kitchen.local\",image=\"sketch\","
                "code=\"no-answer\",protocol=\"espota\"} 1");
    expect_line("esp_ota_board_image_info{board=\"kitchen.local\",image=\"sketch\","
                "sha256=\"00ff\",md5=\"11ee\"} 1");
}

static void test_other_boards_stay(void **state)
{
    (void)state;
    unlink(path);

    note("a", 0, OTA_OK, 1000);
    note("b", 0, OTA_E_REFUSED, 2000);
    expect_line("esp_ota_board_last_upload_timestamp_seconds{board=\"a\",image=\"sketch\"} 1000");
    expect_line("esp_ota_board_last_upload_timestamp_seconds{board=\"b\",image=\"sketch\"} 2000");
}

static void test_names(void **state)
{
    (void)state;
    unlink(path);

    note("\"q\" \\\\ \\u00ad K\xc3\xbc", 0, OTA_OK, 1); /* as escape_string() shows it */
    note("1.2.3.4", 8266, OTA_OK, 2);
    note("fd00::1", 3232, OTA_OK, 3);
    note("fd00::1", 0, OTA_OK, 4);
    expect_line("esp_ota_board_last_upload_timestamp_seconds{board=\"\\\"q\\\" \\\\\\\\ "
                "\\\\u00ad K\xc3\xbc\",image=\"sketch\"} 1");
    expect_line("esp_ota_board_last_upload_timestamp_seconds{board=\"1.2.3.4:8266\","
                "image=\"sketch\"} 2");
    expect_line("esp_ota_board_last_upload_timestamp_seconds{board=\"[fd00::1]:3232\","
                "image=\"sketch\"} 3");
    expect_line(
        "esp_ota_board_last_upload_timestamp_seconds{board=\"fd00::1\",image=\"sketch\"} 4");
}

/* Nothing was uploaded, so nothing is said, and there is no file. */
static void test_no_upload(void **state)
{
    (void)state;
    struct metrics *metrics;
    struct ota_failure failure, good = {.error = OTA_OK}, cut = {.error = OTA_E_INTERRUPTED};
    struct ota_event event = {.type = OTA_EVENT_RESULT, .board = "a", .failure = &good};
    unlink(path);

    assert_int_equal(metrics_open(&metrics, path, &failure), OTA_OK);
    metrics_add(metrics, &event, OTA_COMMAND_SKETCH, 1); /* a log was followed */
    event.image = &image;
    event.protocol = "espota";
    event.failure = &cut;
    metrics_add(metrics, &event, OTA_COMMAND_SKETCH, 1);
    event.type = OTA_EVENT_SKIPPED;
    event.failure = &good;
    metrics_add(metrics, &event, OTA_COMMAND_SKETCH, 1);
    assert_int_equal(metrics_write(metrics, &failure), OTA_OK);
    assert_int_equal(access(path, F_OK), -1);
    metrics_free(metrics);
}

#define SERIES(labels, rest) "esp_ota_board_image_info{" labels rest "\n"
#define NAMED "board=\"a\",image=\"sketch\""
#define DIGESTS ",sha256=\"0\",md5=\"1\""

static void test_foreign_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *phrase;
    } files[] = {
        {"node_load1 0.5\n", "line 1 was not written by --metrics"},
        {"# HELP esp_ota_board_image_info It.\n\n", "line 2 was"},
        {"# a note\n# another\n", "line 1 was"},
        {"#\n", "line 1 was"},
        {"# HELP node_load1 The load.\n", "line 1 was"},
        {"# HELP esp_ota_board_image_infos It.\n", "line 1 was"},
        {"# NOTE esp_ota_board_image_info It.\n", "line 1 was"},
        {SERIES(NAMED, DIGESTS "} 1") "x", "line 2 was"},
        {"esp_ota_board_image_infos{" NAMED DIGESTS "} 1\n", "line 1"},
        {"esp_ota_board_image_info" NAMED DIGESTS "} 1\n", "line 1"},
        {SERIES("board=\"a\"", DIGESTS "} 1"), "line 1"},
        {SERIES("image=\"sketch\",board=\"a\"", DIGESTS "} 1"), "line 1"},
        {SERIES(NAMED, "} 1"), "line 1"},
        {SERIES(NAMED, DIGESTS ",more=\"2\"} 1"), "line 1"},
        {SERIES(NAMED, DIGESTS "}1"), "line 1"},
        {SERIES(NAMED, DIGESTS "} "), "line 1"},
        {SERIES(NAMED, DIGESTS "} -1"), "line 1"},
        {SERIES(NAMED, DIGESTS "} 1."), "line 1"},
        {SERIES(NAMED, DIGESTS "} 1 2"), "line 1"},
        {SERIES("board=\"a\\x\",image=\"sketch\"", DIGESTS "} 1"), "line 1"},
        {SERIES("board=\"a\\", ""), "line 1"},
        {SERIES("board=\"a\xff\",image=\"sketch\"", DIGESTS "} 1"), "line 1"},
        {SERIES("board=\"a\x1b\",image=\"sketch\"", DIGESTS "} 1"), "line 1"},
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct metrics *metrics;
        struct ota_failure failure;

        write_file(files[i].text);
        print_message("  %s", files[i].text);
        assert_int_equal(metrics_open(&metrics, path, &failure), OTA_E_USAGE);
        assert_null(metrics);
        assert_non_null(strstr(failure.message, files[i].phrase));
        assert_string_equal(read_whole_file(), files[i].text);
    }
}

static void test_endless_names(void **state)
{
    (void)state;
    struct ota_failure failure;
    struct metrics *metrics = metrics_new(path);
    char text[16384] = "esp_ota_board_last_upload_exit_status{board=\"";

    assert_non_null(metrics);
    memset(text + strlen(text), 'a', 8000);
    snprintf(text + strlen(text), sizeof text - strlen(text), "\",image=\"sketch\"} 0\n");
    assert_int_equal(metrics_parse(metrics, text, strlen(text), &failure), OTA_E_USAGE);
    metrics_free(metrics);
}

static void test_no_regular_file(void **state)
{
    (void)state;
    struct metrics *metrics;
    struct ota_failure failure;

    assert_int_equal(metrics_open(&metrics, folder, &failure), OTA_E_OUTPUT);
    assert_non_null(strstr(failure.message, "it is a directory"));
    assert_int_equal(metrics_open(&metrics, "/dev/null", &failure), OTA_E_OUTPUT);
    assert_non_null(strstr(failure.message, "it is not a regular file"));
    assert_int_equal(metrics_open(&metrics, "/nowhere/m.prom", &failure), OTA_E_OUTPUT);
    assert_non_null(strstr(failure.message, "No such file or directory"));
    assert_null(metrics);
}

/* Whether the file can be written is known before an upload, also through a link. To try it leaves
 * nothing behind, where there is a file and where there is none. */
static void test_tried_before_an_upload(void **state)
{
    static const struct {
        const char *target; /* of the link; NULL: it is the file itself */
        bool is_there;
        enum ota_error error;
    } rows[] = {
        {NULL, false, OTA_OK},
        {NULL, true, OTA_OK},
        {"m.prom", false, OTA_OK},
        {"m.prom", true, OTA_OK},
        {"no/m.prom", false, OTA_E_OUTPUT},
    };
    char link[sizeof folder + sizeof "/link"];
    (void)state;

    snprintf(link, sizeof link, "%s/link", folder);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct metrics *metrics;
        struct ota_failure failure;

        unlink(path);
        if (rows[i].is_there)
            write_file("");
        if (rows[i].target)
            assert_int_equal(symlink(rows[i].target, link), 0);
        assert_int_equal(metrics_open(&metrics, rows[i].target ? link : path, &failure),
                         rows[i].error);
        metrics_free(metrics);
        if (rows[i].error != OTA_OK)
            assert_non_null(strstr(failure.message, "/link: No such file or directory"));
        if (rows[i].target)
            assert_int_equal(unlink(link), 0);
        assert_int_equal(unlink(path), rows[i].is_there ? 0 : -1);
        assert_int_equal(rmdir(folder), 0); /* it is empty */
        assert_int_equal(mkdir(folder, 0700), 0);
    }
}

/* What another run has written meanwhile stays, and what is no longer ours is not replaced. */
static void test_changes_during_the_run(void **state)
{
    (void)state;
    struct metrics *metrics;
    struct ota_failure failure, good = {.error = OTA_OK};
    const struct ota_event event = {.type = OTA_EVENT_RESULT,
                                    .board = "slow",
                                    .image = &image,
                                    .protocol = "espota",
                                    .failure = &good};
    unlink(path);

    assert_int_equal(metrics_open(&metrics, path, &failure), OTA_OK);
    note("quick", 0, OTA_OK, 1);
    metrics_add(metrics, &event, OTA_COMMAND_FILESYSTEM, 2);
    assert_int_equal(metrics_write(metrics, &failure), OTA_OK);
    expect_line("esp_ota_board_last_upload_timestamp_seconds{board=\"quick\",image=\"sketch\"} 1");
    expect_line("esp_ota_board_last_upload_timestamp_seconds{board=\"slow\","
                "image=\"filesystem\"} 2");

    write_file("mine\n");
    assert_int_equal(metrics_write(metrics, &failure), OTA_E_OUTPUT);
    assert_string_equal(read_whole_file(), "mine\n");
    metrics_free(metrics);
}

/* One run with a result of another board. Returns what failed first. */
static enum ota_error run_quietly(struct ota_failure *failure)
{
    struct metrics *metrics;
    struct ota_failure good = {.error = OTA_OK};
    const struct ota_event event = {.type = OTA_EVENT_RESULT,
                                    .board = "hall",
                                    .image = &image,
                                    .protocol = "espota",
                                    .failure = &good};
    enum ota_error error = metrics_open(&metrics, path, failure);

    if (error != OTA_OK) {
        assert_null(metrics);
        return error;
    }
    metrics_add(metrics, &event, OTA_COMMAND_SKETCH, 2);
    error = metrics_write(metrics, failure);
    metrics_free(metrics);
    return error;
}

/* Whatever fails, the file is the old one or the new one, and no other file is left. */
static void test_failures_leave_the_file(void **state)
{
    static const struct {
        enum failing_call call;
        int error, least;
        enum ota_error outcome;
    } rows[] = {
        {FAILING_ALLOCATION, ENOMEM, 30, OTA_E_INTERNAL},
        {FAILING_OPEN, EMFILE, 1, OTA_E_INTERNAL},
        {FAILING_FSTAT, EIO, 1, OTA_E_USAGE},
        {FAILING_WRITE, ENOSPC, 1, OTA_E_OUTPUT},
        {FAILING_RENAME, EACCES, 1, OTA_E_OUTPUT},
    };
    char before[8192];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool has_failed = true;
        int failures = 0;

        for (int after = 0; has_failed; after++) {
            struct ota_failure failure = {.error = OTA_OK};

            unlink(path);
            note("kitchen", 0, OTA_OK, 1);
            snprintf(before, sizeof before, "%s", read_whole_file());
            failing_start(rows[i].call, after, rows[i].error);
            enum ota_error error = run_quietly(&failure);
            has_failed = failing_stop();
            if (error == OTA_OK) {
                expect_line(
                    "esp_ota_board_last_upload_exit_status{board=\"kitchen\",image=\"sketch\"} 0");
                expect_line(
                    "esp_ota_board_last_upload_exit_status{board=\"hall\",image=\"sketch\"} 0");
                continue;
            }
            assert_string_equal(read_whole_file(), before);
            if (error != failure.error || (error != rows[i].outcome && error != OTA_E_OUTPUT))
                fail_msg("row %zu, call %d: %s", i, after, ota_error_name(error));
            failures++;
        }
        if (failures < rows[i].least)
            fail_msg("row %zu: %d", i, failures);
    }
    unlink(path);
    assert_int_equal(rmdir(folder), 0); /* it is empty */
    assert_int_equal(mkdir(folder, 0700), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_success),
        cmocka_unit_test(test_failure_keeps_the_last_success),
        cmocka_unit_test(test_other_boards_stay),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_no_upload),
        cmocka_unit_test(test_foreign_files),
        cmocka_unit_test(test_endless_names),
        cmocka_unit_test(test_no_regular_file),
        cmocka_unit_test(test_tried_before_an_upload),
        cmocka_unit_test(test_changes_during_the_run),
        cmocka_unit_test(test_failures_leave_the_file),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
