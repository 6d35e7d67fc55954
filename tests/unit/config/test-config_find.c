/*
 * test-config_find.c: paths that a configuration names, and which of them a project file may name.
 * scenario-config has the search for the files.
 */
#include "config/config_find.h"

#include "base/beneath.h"
#include "image/image.h"
#include "image/sign.h"
#include "secrets/encryption_key.h"
#include "secrets/password.h"
#include "support/failing.h"
#include "support/files.h"

#include <errno.h>
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

/* Reads the file as an image, a password, an encryption key or a key that signs. */
static void load_as(int number, const char *path, struct ota_failure *failure)
{
    enum exposure exposure;
    struct image *image;
    struct sign_key *key;
    unsigned char *encryption_key;
    char *password;

    switch (number) {
    case 0:
        assert_int_equal(image_load(&image, path, true, IMAGE_SIZE_MAX, failure), OTA_E_IMAGE);
        break;
    case 1:
        assert_int_equal(password_from_file(&password, path, path, &exposure, failure),
                         OTA_E_USAGE);
        break;
    case 2:
        assert_int_equal(encryption_key_from_file(&encryption_key, path, path, &exposure, failure),
                         OTA_E_USAGE);
        break;
    default:
        assert_int_equal(sign_key_load_private(&key, path, NULL, NULL, failure), OTA_E_USAGE);
    }
}

/* A link that leads out of the project is not followed when it is opened, even if it was no link
 * when the project file was read. */
static void test_swapped_for_a_link(void **state)
{
    static const struct {
        const char *link;
        int load_as;
    } rows[] = {
        {"p/later", 0}, {"p/later.signed", 0}, {"p/later", 1}, {"p/later", 2}, {"p/later", 3}};
    char path[PATH_MAX];
    (void)state;

    snprintf(path, sizeof path, "%s/p/config", top);
    struct config_file file = make_file(path, true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure = {.error = OTA_OK};

        files_write_text("p/later", "0123456789abcdef");
        char *resolved = config_file_resolve(&file, "later", &failure);
        assert_non_null(resolved);
        remove(rows[i].link);
        assert_int_equal(symlink("../secret", rows[i].link), 0);

        load_as(rows[i].load_as, resolved, &failure);
        if (!strstr(failure.message, "is not in the folder of the project file that names it"))
            fail_msg("row %zu: %s", i, failure.message);
        free(resolved);
        assert_int_equal(unlink(rows[i].link), 0);
    }
    remove("p/later");
    config_file_free(&file);
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

/* How many files there are for whoever works in top/p, or -1; they are freed. *note_count: what is
 * said about others. */
static int count_files(size_t *note_count)
{
    struct config_file files[CONFIG_FILES_MAX] = {0};
    struct strings notes = {0};
    int count = config_find(files, &notes);

    for (size_t i = 0; i < CONFIG_FILES_MAX; i++)
        config_file_free(&files[i]);
    *note_count = notes.count;
    strings_free(&notes);
    return count;
}

/* Without memory there is no list of files, in which one could be missing. */
static void test_find_without_memory(void **state)
{
    size_t note_count;
    int failures = 0;
    (void)state;

    files_write_text("p/.esp-ota", "");
    assert_int_equal(mkdir(".config", 0700) | mkdir(".config/esp-ota", 0700), 0);
    files_write_text(".config/esp-ota/config", "");
    assert_int_equal(chdir("p"), 0);
    for (mode_t mode = 0644; mode <= 0666; mode += 022) {
        assert_int_equal(chmod(".esp-ota", mode), 0);
        const int expected = count_files(&note_count);
        assert_true(expected >= (mode == 0644 ? 2 : 1));
        assert_int_equal(note_count, mode != 0644);

        for (int after = 0;; after++, failures++) {
            failing_start(FAILING_ALLOCATION, after, ENOMEM);
            int count = count_files(&note_count);
            if (!failing_stop())
                break;
            assert_int_equal(count, -1);
        }
    }
    assert_true(failures >= 10);
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(remove("p/.esp-ota") | remove(".config/esp-ota/config") |
                         remove(".config/esp-ota") | remove(".config"),
                     0);
}

static void test_read_fails(void **state)
{
    static const struct {
        enum failing_call call;
        int after, error;
        enum ota_error outcome;
    } rows[] = {
        {FAILING_FSTAT, 0, EIO, OTA_E_USAGE},
        {FAILING_FSTAT, 0, ENOMEM, OTA_E_INTERNAL},
        {FAILING_ALLOCATION, 0, ENOMEM, OTA_E_INTERNAL},
        {FAILING_OPEN, 0, EACCES, OTA_E_USAGE},
        {FAILING_OPEN, 0, EMFILE, OTA_E_INTERNAL},
        {FAILING_OPEN, 3, EACCES, OTA_E_USAGE}, /* the folder, after /proc, to see whose it is */
        {FAILING_OPEN, 3, EMFILE, OTA_E_INTERNAL},
    };
    struct config_file file = make_file("secret", false);
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure = {.error = OTA_OK};
        char *text = NULL;
        size_t length;

        failing_start(rows[i].call, rows[i].after, rows[i].error);
        enum ota_error error = config_file_read(&file, false, &text, &length, &failure);
        assert_true(failing_stop());
        assert_int_equal(error, rows[i].outcome);
        assert_int_equal(failure.error, rows[i].outcome);
        free(text);
    }
    config_file_free(&file);
}

static void test_resolve_without_memory(void **state)
{
    struct config_file file = make_file("/p/config", false);
    struct ota_failure failure;
    (void)state;

    failing_start(FAILING_ALLOCATION, 0, ENOMEM);
    assert_null(config_file_resolve(&file, "fw.bin", &failure));
    assert_true(failing_stop());
    assert_int_equal(failure.error, OTA_E_INTERNAL);
    config_file_free(&file);
}

/* A lack of resources does not put a file out of the folder. */
static void test_resolve_without_descriptors(void **state)
{
    static const struct {
        enum failing_call call;
        int after, error;
        enum ota_error outcome;
        const char *message;
    } rows[] = {
        {FAILING_OPEN, 0, EMFILE, OTA_E_INTERNAL, "names: Too many open files"},
        {FAILING_OPEN, 1, ENFILE, OTA_E_INTERNAL,
         "cannot open a file that the configuration p/config names: Too many open files in system"},
        {FAILING_REALPATH, 0, ENOMEM, OTA_E_INTERNAL, "names: Cannot allocate memory"},
        {FAILING_OPEN, 0, EACCES, OTA_E_USAGE, "cannot be opened: Permission denied"},
        {FAILING_REALPATH, 0, ENOENT, OTA_E_USAGE, "is not in the folder of this project file"},
    };
    struct config_file file = make_file("p/config", true);
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure = {.error = OTA_OK};

        failing_start(rows[i].call, rows[i].after, rows[i].error);
        assert_null(config_file_resolve(&file, "fw.bin", &failure));
        assert_true(failing_stop());
        assert_null(strstr(failure.message, "fw.bin"));
        assert_int_equal(failure.error, rows[i].outcome);
        assert_non_null(strstr(failure.message, rows[i].message));
    }
    config_file_free(&file);
}

static int make_tree(void **state)
{
    (void)state;
    return mkdtemp(top) && chdir(top) == 0 && setenv("HOME", top, 1) == 0 &&
                   unsetenv("XDG_CONFIG_HOME") == 0 && mkdir("p", 0700) == 0 &&
                   mkdir("p/build", 0700) == 0 && symlink("build", "p/inner") == 0 &&
                   symlink("../secret", "p/outer") == 0 && symlink("..", "p/away") == 0 &&
                   symlink("../secret", "p/signed.bin.signed") == 0
               ? (files_write_text("secret", "fedcba9876543210"), files_write_text("p/fw.bin", "x"),
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

    beneath_forget();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (remove(names[i]) != 0)
            return -1;
    return chdir("/") == 0 ? rmdir(top) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swapped_for_a_link),
        cmocka_unit_test(test_resolved_paths),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_named_here),
        cmocka_unit_test(test_find_without_memory),
        cmocka_unit_test(test_read_fails),
        cmocka_unit_test(test_resolve_without_memory),
        cmocka_unit_test(test_resolve_without_descriptors),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
