/*
 * test-byte_range.c: ranges and conditions as clients write them.
 */
#include "serve/byte_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum byte_range_kind kind;
        size_t first, size;
    } rows[] = {
        {NULL, BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes=0-0", BYTE_RANGE_PART, 0, 1},
        {"bytes=0-", BYTE_RANGE_PART, 0, 1000},
        {"bytes=500-", BYTE_RANGE_PART, 500, 500},
        {"bytes=999-999", BYTE_RANGE_PART, 999, 1},
        {"bytes=999-5000", BYTE_RANGE_PART, 999, 1},
        {"Bytes=10-19", BYTE_RANGE_PART, 10, 10},
        {"bytes=-1", BYTE_RANGE_PART, 999, 1},
        {"bytes=-5000", BYTE_RANGE_PART, 0, 1000},
        {"bytes=5-99999999999999999999999", BYTE_RANGE_PART, 5, 995},
        {"bytes=-99999999999999999999999", BYTE_RANGE_PART, 0, 1000},
        {"bytes=1000-", BYTE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=1000-2000", BYTE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=99999999999999999999999-", BYTE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", BYTE_RANGE_UNSATISFIABLE, 0, 0},
        /* ignored */
        {"bytes=0-0,5-6", BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes=5-4", BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes=", BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes=-", BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes=5", BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes=a-b", BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes=5-b", BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes= 5-6", BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes=--5", BYTE_RANGE_WHOLE, 0, 1000},
        {"bytes", BYTE_RANGE_WHOLE, 0, 1000},
        {"items=0-1", BYTE_RANGE_WHOLE, 0, 1000},
        {"", BYTE_RANGE_WHOLE, 0, 1000},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct byte_range range;
        byte_range_parse(&range, rows[i].value, 1000);
        assert_int_equal(range.kind, rows[i].kind);
        assert_int_equal(range.first, rows[i].first);
        assert_int_equal(range.size, rows[i].size);
    }
}

static void test_etags(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        bool is_listed, allows_range;
    } rows[] = {
        {"\"a\"", true, true},
        {"W/\"a\"", true, false},
        {"\"b\", \"a\"", true, false},
        {"\"b\",\"a\" , \"c\"", true, false},
        {"*", true, false},
        {"", false, false},
        {"a", false, false},
        {"\"ab\"", false, false},
        {"\"a\"b", false, false},
        {"\"b\"", false, false},
        {"w/\"a\"", false, false},
        {"Sat, 28 Nov 2026 00:00:00 GMT", false, false},
        {",,,", false, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(etag_is_listed(rows[i].list, "\"a\""), rows[i].is_listed);
        assert_int_equal(etag_allows_range(rows[i].list, "\"a\""), rows[i].allows_range);
    }
    assert_true(etag_allows_range(NULL, "\"a\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranges), cmocka_unit_test(test_etags)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
