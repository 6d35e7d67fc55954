/*
 * test-diag.c: levels, prefixes, and the status line around messages.
 */
#include "base/diag.h"

#include "support/capture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct capture capture;

static void say_all(void)
{
    diag_error("an error");
    diag_warning("a %s", "warning");
    diag_info("a line");
    diag_debug("a detail");
}

static void test_levels(void **state)
{
    (void)state;

    static const struct {
        enum diag_level level;
        const char *expected; /* up to the time stamp of the debug line */
    } rows[] = {
        {DIAG_LEVEL_ERROR, "esp-ota: an error\n"},
        {DIAG_LEVEL_WARNING, "esp-ota: an error\nesp-ota: warning: a warning\n"},
        {DIAG_LEVEL_INFO, "esp-ota: an error\nesp-ota: warning: a warning\na line\n"},
        {DIAG_LEVEL_DEBUG, "esp-ota: an error\nesp-ota: warning: a warning\na line\n[  "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        diag_set_level(rows[i].level);
        capture_begin(&capture);
        say_all();
        capture_end(&capture);
        size_t length = strlen(rows[i].expected);
        assert_memory_equal(capture.text_err, rows[i].expected, length);
        if (rows[i].level == DIAG_LEVEL_DEBUG)
            assert_non_null(strstr(capture.text_err + length, "] a detail\n"));
        else
            assert_int_equal(strlen(capture.text_err), length);
        assert_string_equal(capture.text_out, "");
    }
    diag_set_level(DIAG_LEVEL_INFO);
}

static void test_status_line_around_messages(void **state)
{
    (void)state;

    capture_begin(&capture);
    diag_status("50%");
    diag_status("60%");
    diag_info("a line");
    diag_status("100%");
    diag_status_end();
    diag_info("the end");
    diag_status_end();
    capture_end(&capture);
    /* Without a terminal, the next line is written over it, and covers all of it. */
    assert_string_equal(capture.text_err, "50%\r60%\ra line\n100%\nthe end\n");
}

static void test_status_line_cleared(void **state)
{
    (void)state;
    capture_begin(&capture);
    diag_status("50%");
    diag_status_clear();
    diag_status_clear();
    diag_info("a line");
    capture_end(&capture);
    assert_string_equal(capture.text_err, "50%\ra line\n");
}

static void test_status_line_covered(void **state)
{
    (void)state;
    capture_begin(&capture);
    diag_status("12345");
    diag_status("123");
    diag_info("1");
    diag_status("12345");
    diag_status_clear();
    diag_status("1");
    diag_status_end();
    capture_end(&capture);
    assert_string_equal(capture.text_err, "12345\r123  \r1  \n12345\r1    \n");
}

static void test_long_message_is_cut(void **state)
{
    (void)state;
    static char text[10000];

    memset(text, 'x', sizeof text - 1);
    capture_begin(&capture);
    diag_info("%s", text);
    capture_end(&capture);
    size_t length = strlen(capture.text_err);
    assert_in_range(length, 4000, 4097);
    assert_int_equal(capture.text_err[length - 1], '\n');
}

static void test_full_and_closed_stderr(void **state)
{
    (void)state;
    int saved = dup(STDERR_FILENO);
    int full = open("/dev/full", O_WRONLY);

    dup2(full, STDERR_FILENO);
    say_all();
    close(STDERR_FILENO);
    say_all();
    diag_status("50%");
    diag_status_end();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_status_line_around_messages),
        cmocka_unit_test(test_status_line_cleared),
        cmocka_unit_test(test_status_line_covered),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_full_and_closed_stderr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
