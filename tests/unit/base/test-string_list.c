/*
 * test-string_list.c: a list that grows, and keeps its strings when memory runs out.
 */
#include "base/string_list.h"

#include "support/failing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *make_strings(int number)
{
    char text[32];
    snprintf(text, sizeof text, "string %d", number);
    return strdup(text);
}

static void test_grows(void **state)
{
    (void)state;

    enum { MANY = 100 };
    struct strings strings = {0};
    for (int i = 0; i < MANY; i++)
        assert_int_equal(strings_add(&strings, make_strings(i)), 0);
    assert_int_equal(strings.count, MANY);
    for (int i = 0; i < MANY; i++) {
        char text[32];
        snprintf(text, sizeof text, "string %d", i);
        assert_string_equal(strings.items[i], text);
    }
    strings_free(&strings);
    assert_null(strings.items);
    assert_int_equal(strings.count, 0);
}

/* Once freed, it is empty as at the start. */
static void test_again(void **state)
{
    (void)state;
    struct strings strings = {0};

    strings_free(&strings);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(strings_add(&strings, make_strings(i)), 0);
        assert_int_equal(strings.count, 1);
        strings_free(&strings);
    }
    strings_free(&strings);
}

static void test_strings_no_memory(void **state)
{
    (void)state;
    struct strings strings = {0};

    for (int i = 0; i < 2; i++) {
        char *string = make_strings(i);
        failing_start_for_good(FAILING_ALLOCATION, ENOMEM);
        int result = strings_add(&strings, string);
        assert_true(failing_stop());
        assert_int_equal(result, -1);
        assert_int_equal(strings.count, i);
        assert_int_equal(strings_add(&strings, string), 0); /* it still belongs to the caller */
    }
    assert_string_equal(strings.items[0], "string 0");
    assert_string_equal(strings.items[1], "string 1");
    strings_free(&strings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_strings_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
