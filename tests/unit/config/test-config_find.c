/*
 * test-config_find.c: paths that a configuration names, and which of them a project file may name.
 * scenario-config has the search for the files.
 */
#include "config/config_find.h"
#include "support/files.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[] = "/tmp/test-config_find.XXXXXX";

static struct config_file make_file(const char *path, bool is_project)
{
    struct config_file file = {0};

    assert_int_equal(config_file_set(&file, path), 0);
    file.is_project = is_project;
    return file;
}

/* A project file may name the rows that are safe; any other file all of them. */
static const struct {
    const char *value;
    const char *path; /* behind top; NULL: value */
    bool is_safe;
} path_rows[] = {
    {"fw.bin", "/p/fw.bin", true},
    {"build/fw.bin", "/p/build/fw.bin", true},
    {"./fw.bin", "/p/./fw.bin", true},
    {"inner", "/p/inner", true},
    {"missing", "/p/missing", true},
    {"outer", "/p/outer", false},
    {"../secret", "/p/../secret", false},
    {"build/../../secret", "/p/build/../../secret", false},
    {"away/secret", "/p/away/secret", false},
    {"signed.bin", "/p/signed.bin", false},
    {"/etc/passwd", NULL, false},
    {"~/x", "/x", false},
    {"~", "/p/~", false},
};

static void test_resolved_paths(void **state)
{
    (void)state;
    for (int is_project = 0; is_project < 2; is_project++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/p/config", top);
        struct config_file file = make_file(path, is_project);

        for (size_t i = 0; i < sizeof path_rows / sizeof *path_rows; i++) {
            struct ota_failure failure = {.error = OTA_OK};
            char *resolved = config_file_resolve(&file, path_rows[i].value, &failure);

            if (is_project && !path_rows[i].is_safe) {
                if (resolved)
                    fail_msg("%s is resolved: %s", path_rows[i].value, resolved);
                assert_int_equal(failure.error, OTA_E_USAGE);
                continue;
            }
            if (!resolved)
                fail_msg("%s: %s", path_rows[i].value, failure.message);
            snprintf(path, sizeof path, "%s%s", path_rows[i].path ? top : "",
                     path_rows[i].path ? path_rows[i].path : path_rows[i].value);
            assert_string_equal(resolved, path);
            free(resolved);
        }
        config_file_free(&file);
    }
}

static void test_long_path(void **state)
{
    (void)state;
    char value[PATH_MAX + 1];
    struct ota_failure failure;
    struct config_file file = make_file("config", false);

    memset(value, 'x', PATH_MAX);
    value[PATH_MAX] = '\0';
    assert_null(config_file_resolve(&file, value, &failure));
    assert_string_equal(failure.message, "is too long for a path");
    config_file_free(&file);
}

/* A name without a folder: its paths begin at the current folder. */
static void test_named_here(void **state)
{
    (void)state;
    struct ota_failure failure;
    struct config_file file = make_file("config", false);
    char *resolved = config_file_resolve(&file, "fw.bin", &failure);

    assert_string_equal(resolved, "./fw.bin");
    free(resolved);
    config_file_free(&file);
}

static int make_tree(void **state)
{
    (void)state;
    return mkdtemp(top) && chdir(top) == 0 && setenv("HOME", top, 1) == 0 &&
                   mkdir("p", 0700) == 0 && mkdir("p/build", 0700) == 0 &&
                   symlink("build", "p/inner") == 0 && symlink("../secret", "p/outer") == 0 &&
                   symlink("..", "p/away") == 0 && symlink("../secret", "p/signed.bin.signed") == 0
               ? (files_write_text("secret", "x"), files_write_text("p/fw.bin", "x"),
                  files_write_text("p/build/fw.bin", "x"), files_write_text("p/signed.bin", "x"), 0)
               : -1;
}

static int remove_tree(void **state)
{
    (void)state;
    static const char *const names[] = {"p/build/fw.bin",
                                        "p/fw.bin",
                                        "p/signed.bin",
                                        "p/signed.bin.signed",
                                        "p/away",
                                        "p/outer",
                                        "p/inner",
                                        "p/build",
                                        "p",
                                        "secret"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (remove(names[i]) != 0)
            return -1;
    return chdir("/") == 0 ? rmdir(top) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolved_paths),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_named_here),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
