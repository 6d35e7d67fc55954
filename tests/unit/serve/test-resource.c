/*
 * test-resource.c: paths, and what they name.
 */
#include "serve/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_paths(void **state)
{
    (void)state;
    static const char *const names[] = {"kitchen.bin", "my firmware.bin", "status.json"};
    static const struct {
        const char *path;
        enum resource_kind kind;
        int image;
        bool is_packed;
    } rows[] = {
        {"/", RESOURCE_PAGE, 0, false},
        {"/page.css", RESOURCE_STYLE, 0, false},
        {"/page.js", RESOURCE_SCRIPT, 0, false},
        {"/events", RESOURCE_EVENTS, 0, false},
        {"/status.json", RESOURCE_STATUS, 0, false},
        {"/manifest.json", RESOURCE_MANIFEST, 0, false},
        {"/firmware.bin", RESOURCE_IMAGE, RESOURCE_ANY_IMAGE, false},
        {"/firmware.bin.gz", RESOURCE_IMAGE, RESOURCE_ANY_IMAGE, true},
        {"/firmware.bin.md5", RESOURCE_MD5, RESOURCE_ANY_IMAGE, false},
        {"/kitchen.bin", RESOURCE_IMAGE, 0, false},
        {"/kitchen.bin.sha256", RESOURCE_SHA256, 0, false},
        {"/my firmware.bin", RESOURCE_IMAGE, 1, false},
        {"/my firmware.bin.sha512", RESOURCE_SHA512, 1, false},
        {"/my firmware.bin.gz.md5", RESOURCE_MD5, 1, true},
        {"", RESOURCE_NONE, 0, false},
        {"*", RESOURCE_NONE, 0, false},
        {"kitchen.bin", RESOURCE_NONE, 0, false},
        {"//kitchen.bin", RESOURCE_NONE, 0, false},
        {"/kitchen.bin/", RESOURCE_NONE, 0, false},
        {"/kitchen.bin.bak", RESOURCE_NONE, 0, false},
        {"/KITCHEN.BIN", RESOURCE_NONE, 0, false},
        {"/../kitchen.bin", RESOURCE_NONE, 0, false},
        {"/./kitchen.bin", RESOURCE_NONE, 0, false},
        {"/etc/passwd", RESOURCE_NONE, 0, false},
        {"/../../etc/passwd", RESOURCE_NONE, 0, false},
        {"/.md5", RESOURCE_NONE, 0, false},
        {"/index.html", RESOURCE_NONE, 0, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct resource resource;
        resource_find(&resource, rows[i].path, names, COUNT(names));
        assert_int_equal(resource.kind, rows[i].kind);
        assert_int_equal(resource.image, rows[i].image);
        assert_int_equal(resource.is_packed, rows[i].is_packed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
