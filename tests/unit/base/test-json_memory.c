/*
 * test-json_memory.c: jansson without memory. AddressSanitizer sees what it does to the heap.
 */
#include "base/json_memory.h"

#include "support/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define LONG_TEXT "a text that is longer than the buffer which jansson begins with, twice"

static const char text[] = "{\"list\": [1, 2.5, null, {}], \"long\": \"" LONG_TEXT "\"}";

static void assert_is_read(void)
{
    json_t *root = json_memory_load(text, sizeof text - 1, 0, NULL);

    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "long")), LONG_TEXT);
    assert_int_equal(json_array_size(json_object_get(root, "list")), 4);
    json_decref(root);
}

/* Each allocation fails in turn. What is read is right all the same, and the failure is known. */
static void test_once(void **state)
{
    int failures = 0;
    (void)state;

    for (;; failures++) {
        json_memory_watch();
        failing_start(FAILING_ALLOCATION, failures, ENOMEM);
        assert_is_read();
        bool has_failed = failing_stop();
        assert_int_equal(json_memory_has_run_out(), has_failed);
        if (!has_failed)
            break;
    }
    assert_in_range(failures, 10, 100);
}

/* The reserve serves one text after the other. */
static void test_for_good(void **state)
{
    (void)state;

    json_memory_watch();
    failing_start_for_good(FAILING_ALLOCATION, ENOMEM);
    for (int i = 0; i < 1000; i++)
        assert_is_read();
    assert_true(failing_stop());
    assert_true(json_memory_has_run_out());
}

/* It has an end, and serves reading only: others free what jansson gives them. */
static void test_too_large(void **state)
{
    static char list[2 * 65536 + 2];
    json_malloc_t allocate;
    (void)state;

    memset(list, '[', 1);
    for (size_t i = 1; i < sizeof list - 1; i += 2)
        memcpy(list + i, "0,", 2);
    list[sizeof list - 2] = ']';

    json_memory_watch();
    json_get_alloc_funcs(&allocate, NULL);
    failing_start_for_good(FAILING_ALLOCATION, ENOMEM);
    assert_null(json_memory_load(list, sizeof list - 1, 0, NULL));
    assert_null(allocate(1));
    assert_is_read();
    failing_stop();
    json_t *root = json_memory_load(list, sizeof list - 1, 0, NULL);
    assert_int_equal(json_array_size(root), 65536);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_once), cmocka_unit_test(test_for_good),
                                       cmocka_unit_test(test_too_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
