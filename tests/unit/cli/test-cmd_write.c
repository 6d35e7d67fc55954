/*
 * test-cmd_write.c: the file is new and whole, or what was there before, whichever call fails.
 */
#include "cli/cmd_write.h"

#include "base/diag.h"
#include "cli/options.h"
#include "output/report.h"
#include "support/capture.h"
#include "support/failing.h"
#include "support/files.h"
#include "support/requirement.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/esp-ota-output-XXXXXX";
static char previous[4096];
static char image_path[] = "a.bin", target_path[] = "out", pipe_path[] = "pipe";
static const char IMAGE[] = "\1\2image of no kind", OLD[] = "old";

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int count_files(void)
{
    int count = 0;
    DIR *here = opendir(".");
    assert_non_null(here);
    for (const struct dirent *entry; (entry = readdir(here)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(here);
    return count;
}

static int set_up_written_files(void **state)
{
    (void)state;
    if (!getcwd(previous, sizeof previous) || !mkdtemp(directory) || chdir(directory) < 0)
        return -1;
    write_text(image_path, IMAGE);
    return mkfifo(pipe_path, 0600);
}

static int tear_down_written_files(void **state)
{
    (void)state;
    unlink(image_path);
    unlink(pipe_path);
    return chdir(previous) < 0 ? -1 : rmdir(directory);
}

struct failure {
    enum failing_call call;
    int error; /* 0: nothing fails */
    int after;
};

/* The exit status; errors go to capture. */
static int run_cmd_write(struct capture *capture, char *output, struct failure failure,
                         bool *has_failed)
{
    struct options options = {.plan = {.size_limit = IMAGE_SIZE_MAX, .file = image_path}};

    options.output = output;
    diag_set_level(DIAG_LEVEL_ERROR);
    capture_begin(capture);
    if (failure.error)
        failing_start(failure.call, failure.after, failure.error);
    int status = cmd_write_run(&options, NULL);
    *has_failed = failing_stop();
    capture_end(capture);
    return status;
}

/* One run; whether the call has failed in it. harmless: status 0 is right all the same, as the call
 * is made again, or its failure changes nothing. */
static bool run_once(struct failure failure, bool is_harmless, bool exists)
{
    static struct capture capture;
    bool has_failed;
    char text[64];
    if (exists)
        write_text(target_path, OLD);
    int before = failing_count_open();
    int status = run_cmd_write(&capture, target_path, failure, &has_failed);
    assert_int_equal(failing_count_open(), before);
    if (status == 0 ? has_failed && !is_harmless : !has_failed)
        fail_msg("call %d, status %d: %s", failure.after, status, capture.text_err);
    if (status != 0)
        assert_int_equal(strncmp(capture.text_err, "esp-ota: ", 9), 0);

    /* No temporary file is left. */
    assert_int_equal(count_files(), status == 0 || exists ? 3 : 2);
    if (status == 0 || exists) {
        files_read_text(target_path, text, sizeof text);
        assert_string_equal(text, status == 0 ? IMAGE : OLD);
    }
    unlink(target_path);
    return has_failed;
}

/* One call of each kind after another. */
static void test_file(void **state)
{
    static const struct {
        enum failing_call call;
        int error;
        bool is_harmless;
        bool is_for_old; /* made where there is a file to replace */
    } rows[] = {
        {FAILING_STAT, EIO, true, false},
        {FAILING_FSTAT, EIO, true, false},
        {FAILING_OPEN, EACCES, false, false},
        {FAILING_OPEN, EOPNOTSUPP, true, false}, /* harmless for a file without a name only */
        {FAILING_WRITE, ENOSPC, false, false},
        {FAILING_WRITE, EINTR, true, false},
        {FAILING_FSYNC, EIO, false, false},
        {FAILING_CLOSE, EIO, true, false},
        {FAILING_FCHMOD, EPERM, false, true},
        {FAILING_MKSTEMP, EMFILE, false, true},
        {FAILING_RENAME, EXDEV, false, true},
        {FAILING_REALPATH, ENOMEM, false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int exists = rows[i].is_for_old; exists < 2; exists++) {
            struct failure failure = {rows[i].call, rows[i].error, 0};
            while (run_once(failure, rows[i].is_harmless, exists))
                failure.after++;
            assert_true(failure.after > 0); /* the call is made */
        }
    }
}

/* Another's file, where the owner cannot be kept. */
static void test_owner_is_kept_or_nothing_is_written(void **state)
{
    (void)state;
    static struct capture capture;
    char text[64];

    if (geteuid() != 0)
        requirement_skip("only root can give files to others");
    for (int fails = 0; fails < 2; fails++) {
        struct stat found;
        write_text(target_path, OLD);
        assert_int_equal(chown(target_path, 12345, 54321), 0);
        bool has_failed;
        int status =
            run_cmd_write(&capture, target_path,
                          (struct failure){FAILING_FCHOWN, EPERM, fails ? 0 : 1}, &has_failed);
        assert_int_equal(status, fails);
        assert_int_equal(has_failed, fails);
        files_read_text(target_path, text, sizeof text);
        assert_string_equal(text, fails ? OLD : IMAGE);
        assert_int_equal(stat(target_path, &found), 0);
        assert_true(found.st_uid == 12345 && found.st_gid == 54321);
        assert_int_equal(unlink(target_path), 0);
    }
}

static void test_pipe(void **state)
{
    (void)state;
    static struct capture capture;

    static const struct {
        int error, status;
        const char *said;
    } rows[] = {{EINTR, 0, ""}, {EAGAIN, 0, ""}, {EPIPE, 1, "cannot write pipe: Broken pipe"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64] = "";
        int reader = open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_true(reader >= 0);
        bool has_failed;
        int status = run_cmd_write(&capture, pipe_path,
                                   (struct failure){FAILING_WRITE, rows[i].error, 0}, &has_failed);
        assert_int_equal(status, rows[i].status);
        assert_true(has_failed);
        assert_non_null(strstr(capture.text_err, rows[i].said));
        assert_true(read(reader, text, sizeof text - 1) >= 0);
        assert_string_equal(text, rows[i].status == 0 ? IMAGE : "");
        close(reader);
    }
}

static void test_refused_output(void **state)
{
    (void)state;
    static struct capture capture;
    static char nowhere[] = "none/out", here[] = ".", device[] = "/dev/null";

    static const struct {
        char *output;
        const char *said;
    } rows[] = {{nowhere, "No such file or directory"},
                {here, "it is a directory"},
                {device, "it is not a regular file"},
                {image_path, "--output names an input file, a.bin"},
                {pipe_path, "nobody reads from this pipe"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        bool has_failed;
        assert_int_not_equal(
            run_cmd_write(&capture, rows[i].output, (struct failure){0}, &has_failed), 0);
        if (!strstr(capture.text_err, rows[i].said))
            fail_msg("%s: %s", rows[i].output, capture.text_err);
        files_read_text(image_path, text, sizeof text);
        assert_string_equal(text, IMAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_owner_is_kept_or_nothing_is_written),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_refused_output),
    };
    return cmocka_run_group_tests(tests, set_up_written_files, tear_down_written_files);
}
