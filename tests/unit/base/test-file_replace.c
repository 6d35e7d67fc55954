/*
 * test-file_replace.c: what appears at the path of an output at the last moment. What is kept of a
 * file that is replaced is shown by the scenarios of --output and --metrics.
 */
#include "base/file_replace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/test-file_replace-XXXXXX";
static char path[sizeof directory + 8];

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void expect_content(const char *expected)
{
    char text[16] = "";
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, expected);
}

static void test_files(void **state)
{
    (void)state;
    assert_int_equal(file_replace(path, "first", 5), 0);
    expect_content("first");
    assert_int_equal(file_replace(path, "other", 5), 0);
    expect_content("other");
    assert_int_equal(unlink(path), 0);
}

/* Signals are blocked, so a wait for its reader would have no end; and it stays what it is. */
static void test_pipe(void **state)
{
    struct stat found;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_replace(path, "lost", 4), ENXIO);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    assert_int_equal(file_replace(path, "lost", 4), ENXIO);
    assert_int_equal(stat(path, &found), 0);
    assert_true(S_ISFIFO(found.st_mode));
    assert_int_equal(close(reader), 0);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files), cmocka_unit_test(test_pipe)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
