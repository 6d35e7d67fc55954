/*
 * test-input.c: files, pipes and devices, and the deadlines of pipes. The linker wraps poll() and
 * the clock, so no test waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The events of the first wait, the second, ...; the last one is repeated. */
enum step { NOTHING, WRITER_COMES, WRITER_WRITES, WRITER_GOES, STEPS_END };

static char directory[] = "/tmp/esp-ota-test-input-XXXXXX";
static char path[64];
static int64_t now_us;
static const enum step *next_step;
static int writer = -1;

int __real_poll(struct pollfd *files, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *files, nfds_t count, int timeout_ms);
int64_t __wrap_loop_now_us(void);

int64_t __wrap_loop_now_us(void)
{
    return now_us;
}

static void take_input_step(enum step step)
{
    switch (step) {
    case WRITER_COMES:
        writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        assert_true(writer >= 0);
        break;
    case WRITER_WRITES:
        assert_int_equal(write(writer, "text", 4), 4);
        break;
    case WRITER_GOES:
        close(writer);
        writer = -1;
        break;
    case NOTHING:
    case STEPS_END:
        break;
    }
}

/* Time passes while nothing can be read. */
int __wrap_poll(struct pollfd *files, nfds_t count, int timeout_ms)
{
    assert_true(timeout_ms >= 0);
    if (__real_poll(files, count, 0) > 0)
        return 1;

    take_input_step(*next_step);
    if (*next_step != STEPS_END)
        next_step++;

    if (__real_poll(files, count, 0) > 0)
        return 1;
    now_us += (int64_t)timeout_ms * 1000;
    return 0;
}

static int set_up_input(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/pipe", directory);
    return mkfifo(path, 0600);
}

static int tear_down_input(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static const struct {
    const char *title;
    enum step steps[5];
    const char *text; /* NULL: given up */
    int after_ms;
} pipes_rows[] = {
    {"nobody writes", {STEPS_END}, NULL, 5000},
    {"somebody comes, and writes nothing", {WRITER_COMES, STEPS_END}, NULL, 120000},
    {"somebody comes and goes", {WRITER_COMES, WRITER_GOES, STEPS_END}, "", 5000},
    {"somebody writes late", {WRITER_COMES, WRITER_WRITES, WRITER_GOES, STEPS_END}, "text", 5000},
    {"a pause within",
     {WRITER_COMES, WRITER_WRITES, NOTHING, WRITER_WRITES, WRITER_GOES},
     "texttext",
     125000},
};

static void test_pipes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pipes_rows / sizeof *pipes_rows; i++) {
        char buffer[64] = "";
        int descriptor = input_open(path);
        ssize_t length;

        assert_true(descriptor >= 0);
        now_us = 1000000;
        next_step = pipes_rows[i].steps;
        length = input_read_all(descriptor, buffer, sizeof buffer);
        if (pipes_rows[i].text == NULL) {
            assert_int_equal(length, -1);
            assert_int_equal(errno, ETIMEDOUT);
            assert_string_equal(input_error(errno), "nothing was written to it in time");
        } else {
            assert_int_equal(length, strlen(pipes_rows[i].text));
            assert_memory_equal(buffer, pipes_rows[i].text, strlen(pipes_rows[i].text));
        }
        if (now_us != 1000000 + (int64_t)pipes_rows[i].after_ms * 1000)
            fail_msg("%s: after %jd ms", pipes_rows[i].title, (intmax_t)(now_us - 1000000) / 1000);
        close(descriptor);
        if (writer >= 0)
            take_input_step(WRITER_GOES);
    }
}

/* The pipe of <(command): its writer has come before, and may have gone. */
static void test_pipe_of_a_shell(void **state)
{
    static const enum step none[] = {STEPS_END};
    char name[32], buffer[8];
    int ends[2];

    (void)state;
    for (int has_text = 0; has_text < 2; has_text++) {
        assert_int_equal(pipe(ends), 0);
        snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
        if (has_text)
            assert_int_equal(write(ends[1], "text", 4), 4);
        close(ends[1]);
        int descriptor = input_open(name);
        assert_true(descriptor >= 0);
        now_us = 0;
        next_step = none;
        assert_int_equal(input_read_all(descriptor, buffer, sizeof buffer), has_text ? 4 : 0);
        assert_int_equal(now_us, 0);
        close(descriptor);
        close(ends[0]);
    }
}

/* A blocking standard input, opened elsewhere: read() itself must never wait. */
static void test_blocking_pipe(void **state)
{
    static const enum step write_late[] = {NOTHING, WRITER_WRITES, WRITER_GOES, STEPS_END};
    static const enum step none[] = {STEPS_END};
    char buffer[8];
    int ends[2];

    (void)state;
    for (int is_written = 0; is_written < 2; is_written++) {
        assert_int_equal(pipe(ends), 0);
        writer = ends[1];
        now_us = 0;
        next_step = is_written ? write_late : none;
        ssize_t length = input_read_all(ends[0], buffer, sizeof buffer);
        assert_int_equal(length, is_written ? 4 : -1);
        if (!is_written)
            assert_int_equal(errno, ETIMEDOUT);
        assert_int_equal(now_us, 120000000);
        if (writer >= 0)
            take_input_step(WRITER_GOES);
        close(ends[0]);
    }
}

static void test_input_names(void **state)
{
    char shown[32];

    (void)state;
    assert_true(input_is_standard("-"));
    assert_false(input_is_standard("./-"));
    assert_false(input_is_standard(""));
    assert_string_equal(input_show(shown, sizeof shown, "-"), "standard input");
    assert_string_equal(input_show(shown, sizeof shown, "./-\n"), "./-\\n");
}

static void test_files(void **state)
{
    char name[80], buffer[8];
    struct ota_failure failure;

    (void)state;
    snprintf(name, sizeof name, "%s/file", directory);
    int descriptor = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(descriptor, "0123456789", 10), 10);
    close(descriptor);
    descriptor = input_open(name);
    assert_int_equal(input_read_all(descriptor, buffer, sizeof buffer), 8);
    assert_memory_equal(buffer, "01234567", 8);
    assert_int_equal(input_read_all(descriptor, buffer, sizeof buffer), 2);
    assert_int_equal(input_read_all(descriptor, buffer, sizeof buffer), 0);
    close(descriptor);
    assert_int_equal(input_protect("--log", name, &failure), OTA_E_USAGE);
    input_forget();
    assert_int_equal(input_protect("--log", name, &failure), OTA_OK);
    assert_int_equal(input_remember(name), 0);
    assert_int_equal(input_protect("--log", name, &failure), OTA_E_USAGE);
    unlink(name);
    assert_int_equal(input_protect("--log", name, &failure), OTA_OK);
    assert_int_equal(input_remember(name), 0);
    input_forget();

    assert_int_equal(input_open(name), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(input_open("/dev/zero"), -1);
    assert_string_equal(input_error(errno), "it is a device, not a file");
    descriptor = input_open("/tmp");
    assert_int_equal(input_read(descriptor, buffer, 1), -1);
    assert_string_equal(input_error(errno), "Is a directory");
    close(descriptor);
}

/* What a shell has opened with ">" or ">>" for a message or a report. */
static void test_outputs(void **state)
{
    static const struct {
        int flags;
        bool is_appended;
        enum ota_error expected;
    } rows[] = {
        {O_WRONLY, true, OTA_E_USAGE},           {O_WRONLY, false, OTA_E_USAGE},
        {O_WRONLY | O_APPEND, true, OTA_OK},     {O_WRONLY | O_APPEND, false, OTA_E_USAGE},
        {O_RDWR | O_APPEND, false, OTA_E_USAGE}, {O_RDONLY, false, OTA_OK},
    };
    char name[80], link[80];
    struct ota_failure failure = {.error = OTA_OK};

    (void)state;
    snprintf(name, sizeof name, "%s/output", directory);
    snprintf(link, sizeof link, "%s/link", directory);
    close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(symlink("output", link), 0);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            int saved = dup(fd), descriptor = open(name, rows[i].flags | O_CLOEXEC);

            assert_int_equal(dup2(descriptor, fd), fd);
            enum ota_error error =
                input_protect_output("--metrics", link, rows[i].is_appended, &failure);
            dup2(saved, fd);
            close(saved);
            close(descriptor);
            assert_int_equal(error, rows[i].expected);
            assert_int_equal(strstr(failure.message, "standard output") != NULL,
                             fd == STDOUT_FILENO);
        }
    assert_int_equal(input_protect_output("--metrics", link, false, &failure), OTA_OK);
    assert_true(input_is_same_file(name, link));
    assert_false(input_is_same_file(name, directory));
    unlink(name);
    assert_false(input_is_same_file(name, link));
    assert_int_equal(input_protect_output("--metrics", link, false, &failure), OTA_OK);
    unlink(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipes),         cmocka_unit_test(test_pipe_of_a_shell),
        cmocka_unit_test(test_blocking_pipe), cmocka_unit_test(test_input_names),
        cmocka_unit_test(test_files),         cmocka_unit_test(test_outputs),
    };
    return cmocka_run_group_tests(tests, set_up_input, tear_down_input);
}
