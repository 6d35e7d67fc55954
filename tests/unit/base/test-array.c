/*
 * test-array.c: an array grows, keeps its items, and stays as it is without memory.
 */
#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_grow(void **state)
{
    size_t *items = NULL, capacity = 0, moves = 0;

    (void)state;
    for (size_t count = 0; count < 1000; count++) {
        size_t before = capacity;

        items = array_grow(items, count, &capacity, sizeof *items);
        assert_non_null(items);
        assert_true(count < capacity);
        moves += capacity != before;
        items[count] = count;
    }

    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_true(moves < 12);
    free(items);
}

static void test_array_no_memory(void **state)
{
    size_t capacity = SIZE_MAX / 4;
    char item = 'x';

    (void)state;
    assert_null(array_grow(&item, capacity, &capacity, 8));
    assert_int_equal(capacity, SIZE_MAX / 4);
    assert_int_equal(item, 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_array_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
