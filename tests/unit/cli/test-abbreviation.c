/*
 * test-abbreviation.c: long options that are cut short.
 */
#include "cli/abbreviation.h"
#include "cli/options_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_find(void **state)
{
    static const struct {
        const char *name;
        enum option option; /* OPTION_COUNT: none, or several */
    } rows[] = {
        {"prog", OPTION_PROGRESS},
        {"host_p", OPTION_HOST_PORT},
        {"host-i", OPTION_HOST_IP},
        {"retr", OPTION_RETRIES},
        {"retries", OPTION_RETRIES},
        /* two spellings of one option */
        {"md5", OPTION_MD5_TARGET},
        /* espota.py decides */
        {"au", OPTION_AUTH},
        {"tim", OPTION_TIMEOUT},
        {"fil", OPTION_FILE},
        {"s", OPTION_SPIFFS},
        /* it is ambiguous in espota.py, too, or unknown there */
        {"h", OPTION_COUNT},
        {"host", OPTION_COUNT},
        {"host_", OPTION_COUNT},
        {"p", OPTION_COUNT},
        {"expect-t", OPTION_EXPECT_TIMEOUT},
        {"exp", OPTION_COUNT},
        {"PROG", OPTION_COUNT},
        {"progressive", OPTION_COUNT},
        {"", OPTION_COUNT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct poptOption *row = abbreviation_find(rows[i].name, strlen(rows[i].name));

        assert_int_equal(row ? row->val : OPTION_COUNT, rows[i].option);
    }
    assert_int_equal(abbreviation_find("prog=x", 4)->val, OPTION_PROGRESS);
}

static void test_list(void **state)
{
    static const struct {
        const char *name;
        const char *list;
        size_t count;
    } rows[] = {
        {"host-", "--host-ip or --host-port", 2},
        {"host_", "--host_ip or --host_port", 2},
        {"host", "--hosts, --host-ip or --host-port", 3},
        {"prog", "--progress", 1},
        {"md5", "--md5-target", 1},
        {"bogus", "", 0},
        {"", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char list[ABBREVIATION_LIST_MAX];

        assert_int_equal(abbreviation_list(list, rows[i].name, strlen(rows[i].name)),
                         rows[i].count);
        assert_string_equal(list, rows[i].list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
