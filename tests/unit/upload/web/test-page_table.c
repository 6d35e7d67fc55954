/*
 * test-page_table.c: what every row has to have.
 */
#include "http/multipart.h"
#include "upload/web/page_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        const struct page *page = &pages[i];

        assert_ptr_equal(page_table_find(page->name), page);
        assert_non_null(page->title);
        assert_int_equal(page->get[0], '/');
        assert_true(!page->post || page->post[0] == '/');
        assert_true(multipart_is_name(page->sketch_field));
        assert_true(multipart_is_name(page->sketch_filename));
        assert_true(!page->filesystem_field || multipart_is_name(page->filesystem_field));
        assert_true(!page->filesystem_field || multipart_is_name(page->filesystem_filename));
        assert_true(!page->sketch_query || page->sketch_query[0] == '?');
        assert_true(!page->filesystem_query || page->filesystem_query[0] == '?');
        assert_non_null(page->user);
        assert_non_null(page->chips);
        assert_true(page->failure[0] && (page->success[0] || page->is_generic));
        assert_true(page->restart_ms > 0);
    }
}

static void test_unknown(void **state)
{
    (void)state;
    assert_null(page_table_find("auto"));
    assert_null(page_table_find(""));
}

/* WLED ends its updater from version 16 on; a board that tells no version may be an older one. */
static void test_may_append(void **state)
{
    const struct page *wled = &pages[PAGE_WLED];

    (void)state;
    assert_true(page_may_append(wled, ""));
    assert_true(page_may_append(wled, "beta"));
    assert_true(page_may_append(wled, "0.15.1 (build 2412100)"));
    assert_true(page_may_append(wled, "15.9"));
    assert_false(page_may_append(wled, "16.0.0"));
    assert_false(page_may_append(wled, "17.0.0-dev (build 2611200, ESP32)"));
    assert_true(page_may_append(&pages[PAGE_FORM], "2000.1"));
    assert_false(page_may_append(&pages[PAGE_ESP8266], ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_may_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
