/*
 * test-page_secrets.c: a hash of the password that is spread over the texts of a page.
 */
#include "upload/web/page_secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The MD5 of "pw" begins with 8fe4c11451281c094a6578e6ddbf5eed. */
static void test_hide_next(void **state)
{
    (void)state;
    static const struct {
        const char *texts[4];
        size_t hidden; /* the first of them that is; 4: none is */
    } rows[] = {
        {{"8fe4c11", "451281c", "094a657", ""}, 1},
        {{"8fe4", "c11", "", "4"}, 3},
        {{"", "8FE4-C1", "14.", "x"}, 2},
        {{"8fe4c11 of 451281c", "ESP32", "", "x"}, 0},
        {{"8fe4c11 of ", "451281c", "", ""}, 1},
        {{"8fe4c11 (build 451281, x)", "ESP32", "", ""}, 0},
        {{"/ has status 404, Server \"8fe4c11\", \"4512\"", "x", "", ""}, 0},
        {{"/ has status 404, Server \"8fe4c11\", Location \"4512\"", "x", "", ""}, 0},
        {{"/ has status 404, Location \"//8fe4\", Refresh \"//c114\"", "x", "", ""}, 0},
        {{"it runs ESPHome 8fe4, project c1 14, configuration 51 now", "x", "", ""}, 0},
        {{"it runs ESPHome 8fe4c11 now (before: ESPHome 4512)", "x", "", ""}, 0},
        /* Words like ours may be the page's, and have a part of the hash. */
        {{"8 of e4c1", "145", "x", "x"}, 1},
        /* No more than seven digits in a row, in whatever order. */
        {{"8fe4c11", "", "", ""}, 4},
        {{"8fe4c11", "8fe4c11", "8fe4c11", "8fe4c11"}, 4},
        {{"8fe4c11 of 8fe4c11", "451281c", "8fe4c11", ""}, 1},
        {{"451281c", "8fe4c11", "", "094a657"}, 4},
        {{"14.3.0 of 2026-11-29T10:07:31", "ESP32-S3", "14.3.0 of 2026-11-29T10:07:31", ""}, 4},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct echo echo = {0};
        struct ota_failure failure;
        const struct page_secrets secrets = {.echo = &echo};

        assert_true(echo_learn(&echo, "pw", NULL, &failure));
        for (size_t j = 0; j < COUNT(rows[i].texts); j++) {
            const char *text = rows[i].texts[j];
            const bool is_hidden = *text && j >= rows[i].hidden;

            assert_string_equal(page_hide_next(&secrets, text), is_hidden ? ECHO_NOTE : text);
        }
        echo_clear(&echo);
    }
}

static void test_hide_next_without_echo(void **state)
{
    (void)state;
    const struct page_secrets secrets = {.password = "pass word"};

    assert_string_equal(page_hide_next(&secrets, "8fe4c11451281c09"), "8fe4c11451281c09");
    assert_string_equal(page_hide_next(&secrets, "(password)"), ECHO_NOTE);
    assert_string_equal(page_hide_next(&secrets, "8fe4"), "8fe4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hide_next),
        cmocka_unit_test(test_hide_next_without_echo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
