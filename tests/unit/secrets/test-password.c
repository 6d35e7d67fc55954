/*
 * test-password.c: passwords from files, standard input and the environment.
 */
#include "base/secret.h"
#include "secrets/password.h"
#include "support/files.h"

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

static char path[] = "/tmp/test-password-XXXXXX";

#define ROW(content, password, message)                                                            \
    {                                                                                              \
        content, sizeof(content) - 1, password, message                                            \
    }

static const struct {
    const char *content;
    size_t length;
    const char *password;
    const char *message;
} content_rows[] = {
    ROW("geheim\n", "geheim", NULL),
    ROW("geheim", "geheim", NULL),
    ROW("geheim\r\n", "geheim", NULL),
    ROW("two words \nsecond line\n", "two words ", NULL),
    ROW("a\rb\n", "a\rb", NULL),
    ROW("first\nsecond\0\n", "first", NULL),
    ROW("\xef\xbb\xbfgeheim\r\n", "geheim", NULL),
    ROW("\xef\xbbgeheim\n", "\xef\xbbgeheim", NULL),
    ROW("\xef\xbb\xbf\n", NULL, "is empty"),
    ROW("", NULL, "is empty"),
    ROW("\nsecond\n", NULL, "is empty"),
    ROW("\r\n", NULL, "is empty"),
    ROW("a\0b\n", NULL, "NUL byte"),
};

static void test_content(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof content_rows / sizeof *content_rows; i++) {
        char *password;
        enum exposure exposure;
        struct ota_failure failure;

        files_write(path, content_rows[i].content, content_rows[i].length);
        enum ota_error error = password_from_file(&password, path, path, &exposure, &failure);
        if (content_rows[i].password) {
            assert_int_equal(error, OTA_OK);
            assert_string_equal(password, content_rows[i].password);
        } else {
            assert_int_equal(error, OTA_E_USAGE);
            assert_null(password);
            assert_non_null(strstr(failure.message, content_rows[i].message));
            assert_non_null(strstr(failure.message, path));
        }
        secret_free(password);
    }
}

static void test_length(void **state)
{
    (void)state;
    static const char mark[] = "\xef\xbb\xbf";

    static const struct {
        size_t length;
        const char *end;
        bool is_accepted;
    } rows[] = {{PASSWORD_MAX, "\n", true},
                {PASSWORD_MAX, "", true},
                {PASSWORD_MAX - 1, "\r\n", true},
                {PASSWORD_MAX + 1, "\n", false},
                {100000, "", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *content = calloc(1, rows[i].length + 6), *password;
        enum exposure exposure;
        struct ota_failure failure;
        memset(content, 'x', rows[i].length);
        memcpy(content + rows[i].length, rows[i].end, strlen(rows[i].end));
        files_write_text(path, content);
        enum ota_error error = password_from_file(&password, path, path, &exposure, &failure);
        assert_int_equal(error, rows[i].is_accepted ? OTA_OK : OTA_E_USAGE);
        if (rows[i].is_accepted)
            assert_int_equal(strlen(password), rows[i].length);
        secret_free(password);
        if (rows[i].length <= PASSWORD_MAX + 1) {
            memmove(content + 3, content, strlen(content));
            memcpy(content, mark, 3);
            files_write_text(path, content);
            assert_int_equal(password_from_file(&password, path, path, &exposure, &failure), error);
            if (rows[i].is_accepted)
                assert_int_equal(strlen(password), rows[i].length);
            secret_free(password);
        }
        free(content);
    }
}

static void test_unreadable_password(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"/nowhere/at all", "cannot open the password file /nowhere/at all: No such file"},
        {"/tmp", "cannot read the password from /tmp: Is a directory"},
        {"/no\nwhere", "cannot open the password file /no\\nwhere: No such file"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *password;
        enum exposure exposure;
        struct ota_failure failure;
        enum ota_error error =
            password_from_file(&password, rows[i][0], rows[i][0], &exposure, &failure);
        assert_int_equal(error, OTA_E_USAGE);
        assert_memory_equal(failure.message, rows[i][1], strlen(rows[i][1]));
    }
}

static void test_exposed(void **state)
{
    (void)state;

    static const struct {
        mode_t mode;
        enum exposure exposure;
    } rows[] = {{0600, EXPOSED_TO_NOBODY},
                {0640, EXPOSED_TO_GROUP},
                {0644, EXPOSED_TO_ALL},
                {0604, EXPOSED_TO_ALL},
                {0620, EXPOSED_TO_NOBODY}};
    files_write_text(path, "geheim\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *password;
        enum exposure exposure;
        struct ota_failure failure;
        assert_int_equal(chmod(path, rows[i].mode), 0);
        assert_int_equal(password_from_file(&password, path, path, &exposure, &failure), OTA_OK);
        assert_int_equal(exposure, rows[i].exposure);
        secret_free(password);
    }
}

/* `while read host; do esp-ota --auth-file - ...; done`: the next lines belong to the loop. */
static void test_password_from_standard_input(void **state)
{
    (void)state;
    int input[2], saved = dup(STDIN_FILENO);

    assert_int_equal(pipe(input), 0);
    assert_int_equal(write(input[1], "geheim\nrest", 11), 11);
    dup2(input[0], STDIN_FILENO);
    char *password;
    enum exposure exposure;
    struct ota_failure failure;
    assert_int_equal(password_from_file(&password, "-", "-", &exposure, &failure), OTA_OK);
    assert_string_equal(password, "geheim");
    assert_int_equal(exposure, EXPOSED_TO_NOBODY);
    secret_free(password);
    char rest[8] = "";
    assert_int_equal(read(input[0], rest, sizeof rest - 1), 4);
    assert_string_equal(rest, "rest");
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(input[0]);
    close(input[1]);
}

static void test_environment(void **state)
{
    (void)state;
    char *password;
    char variable[] = "ESP_OTA_AUTH=geheim";
    putenv(variable);
    assert_int_equal(password_from_environment(&password), 0);
    assert_string_equal(password, "geheim");
    assert_null(getenv("ESP_OTA_AUTH"));
    assert_memory_equal(variable, "ESP_OTA_AUTH=\0\0\0\0\0\0", sizeof variable);
    secret_free(password);

    /* A program that starts this one may pass a variable twice. The first one counts. */
    char first[] = "ESP_OTA_AUTH=one", other[] = "ESP_OTA_AUTH_OF=x", second[] = "ESP_OTA_AUTH=two";
    char *twice[] = {first, other, second, NULL}, **old = environ;
    environ = twice;
    assert_int_equal(password_from_environment(&password), 0);
    environ = old;
    assert_string_equal(password, "one");
    assert_memory_equal(first, "ESP_OTA_AUTH=\0\0\0", sizeof first);
    assert_memory_equal(second, "ESP_OTA_AUTH=\0\0\0", sizeof second);
    assert_string_equal(other, "ESP_OTA_AUTH_OF=x");
    assert_ptr_equal(twice[0], other);
    assert_null(twice[1]);
    secret_free(password);

    setenv("ESP_OTA_AUTH", "", 1);
    assert_int_equal(password_from_environment(&password), 0);
    assert_null(password);
    assert_null(getenv("ESP_OTA_AUTH"));

    assert_int_equal(password_from_environment(&password), 0);
    assert_null(password);
}

static int set_up_password_file(void **state)
{
    (void)state;
    int descriptor = mkstemp(path);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int tear_down_password_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_unreadable_password),
        cmocka_unit_test(test_exposed),
        cmocka_unit_test(test_password_from_standard_input),
        cmocka_unit_test(test_environment),
    };
    return cmocka_run_group_tests(tests, set_up_password_file, tear_down_password_file);
}
