/*
 * test-pattern.c: what a regular expression costs, and whether it refers back.
 */
#include "pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TOO_MUCH = PATTERN_COST_MAX + 1 };

static const struct {
    const char *expression;
    size_t cost;
    bool has_back_reference;
} rows[] = {
    {"", 0, false},
    {"abc", 3, false},
    {"a*b?", 2, false},
    {"a+", 2, false},
    {"a{3}", 3, false},
    {"a{3,}", 4, false},
    {"a{3,5}", 5, false},
    {"a{,5}b", 6, false},
    {"(a{3}b){4}", 16, false},
    {"[abc]{4}", 4, false},
    {"[]{9}+(]{2}", 2, false},
    {"{\"a\":{3}", 7, false},
    {"[^]a]x", 2, false},
    {"[[:digit:]]{3}", 3, false},
    {"[[:x]{3}", 3, false}, /* no class; regcomp may say so */
    {"[[.].]]b", 2, false},
    {"[a{99}", 1, false}, /* no end; nor this */
    {"\\{9}\\(", 4, false},
    {"a\\", 2, false},
    {"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}", 36, false},
    {"(([0-9]{1,3})\\.){3}[0-9]{1,3}", 15, false},
    {"a{1000}", 1000, false},
    {"a{1001}", TOO_MUCH, false},
    {"a{99999999999999999999}", TOO_MUCH, false},
    {"a{1,99999999999999999999}", TOO_MUCH, false},
    {"a{-1}", 5, false},
    {"((a{20}){20}){20}", TOO_MUCH, false},
    {"a{20}{20}{20}", TOO_MUCH, false},
    {"(a{600})*{2}", TOO_MUCH, false},
    {"a{600}b{600}", TOO_MUCH, false},
    {"a{600}|(b{600}", TOO_MUCH, false},
    {"((((((((((a+)+)+)+)+)+)+)+)+)+)+", TOO_MUCH, false},
    {"(a{500}{x){2}", TOO_MUCH, false}, /* what is no repetition makes nothing cheaper */
    {"(a)\\1", 2, true},
    {"\\9", 1, true},
    {"\\0", 1, false},
    {"\\\\1", 2, false},
    {"[\\1]", 1, false},
    {"[[:alpha:]\\1]\\2", 2, true},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (pattern_cost(rows[i].expression) != rows[i].cost)
            fail_msg("%s costs %zu", rows[i].expression, pattern_cost(rows[i].expression));
        if (pattern_has_back_reference(rows[i].expression) != rows[i].has_back_reference)
            fail_msg("%s", rows[i].expression);
    }
}

static void test_depth(void **state)
{
    char expression[100] = "";
    (void)state;
    memset(expression, '(', 32);
    assert_int_equal(pattern_cost(expression), 0);
    memset(expression, '(', 33);
    assert_int_equal(pattern_cost(expression), TOO_MUCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
