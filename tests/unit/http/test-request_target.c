/*
 * test-request_target.c: how paths from people, pages and boards are written in a request line.
 */
#include "http/request_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *path;
    const char *target;
} rows[] = {
    {"/update", "/update"},
    {"/update?size=1234&name=a%20b", "/update?size=1234&name=a%20b"},
    {"/a/../b//c/./", "/a/../b//c/./"},
    {"", "/"},
    {"?go", "/?go"},
    {"update", "/update"},
    {"/update#top", "/update"},
    {"#", "/"},
    {"/a b\tc", "/a%20b%09c"},
    {"/ HTTP/1.1\r\nHost: other", "/%20HTTP/1.1%0D%0AHost:%20other"},
    {"/caf\xc3\xa9\x7f", "/caf%C3%A9%7F"},
};

static void test_targets(void **state)
{
    char target[HTTP_TARGET_MAX];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(http_request_target(target, rows[i].path), rows[i].target);
}

static void test_long_paths(void **state)
{
    enum { ALWAYS_FITS = 340 };
    char target[HTTP_TARGET_MAX], path[2 * HTTP_TARGET_MAX];
    (void)state;

    memset(path, ' ', sizeof path);
    path[ALWAYS_FITS] = '\0';
    assert_int_equal(strlen(http_request_target(target, path)), 1 + 3 * ALWAYS_FITS);

    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_true(strlen(http_request_target(target, path)) < HTTP_TARGET_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_targets),
                                       cmocka_unit_test(test_long_paths)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
