/*
 * test-operands.c: which words without an option are files. What they do is in test-options.c.
 */
#include "cli/operands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void test_is_file(void **state)
{
    static const struct {
        const char *word;
        bool is_file;
    } rows[] = {
        {"firmware.bin", true},
        {"FIRMWARE.BIN", true},
        {"fw.bin.gz", true},
        {"fw.signed", true},
        {"build/fw", true},
        {"./kitchen", true},
        {"/dev/fd/63", true},
        {"-", true},
        {"kitchen", false},
        {"kitchen.local", false},
        {"kitchen.local:80", false},
        {"10.0.0.7", false},
        {"[::1]:3232", false},
        {"Living room", false},
        {".bin", false},
        {"http://10.0.0.7/u", false},
        {"", false},
        {"bin", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (operands_is_file(rows[i].word) != rows[i].is_file)
            fail_msg("\"%s\" is judged wrong", rows[i].word);
}

/* What exists decides, but a directory is no image. */
static void test_is_file_that_exists(void **state)
{
    char folder[] = "/tmp/test-operands-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    FILE *file = fopen("kitchen", "w");
    assert_non_null(file);
    fclose(file);
    assert_true(operands_is_file("kitchen"));
    assert_int_equal(unlink("kitchen"), 0);
    assert_false(operands_is_file("kitchen"));

    assert_int_equal(chdir("/"), 0);
    assert_false(operands_is_file("tmp"));
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_file),
        cmocka_unit_test(test_is_file_that_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
