/*
 * test-choose.c: answers to the question which boards; test_select.py asks it at a terminal.
 */
#include "choose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 12 };

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const char *chosen; /* a digit for each board; NULL: not understood */
    } rows[] = {
        {"1", "100000000000"},
        {"12", "000000000001"},
        {"2 4", "010100000000"},
        {"2,4", "010100000000"},
        {" 2 ,\t4, ", "010100000000"},
        {"3-5", "001110000000"},
        {"1-1 5-12", "100011111111"},
        {"all", "111111111111"},
        {"1 all", "111111111111"},
        {"07", "000000100000"},
        {"", NULL},
        {" , ", NULL},
        {"0", NULL},
        {"13", NULL},
        {"5-3", NULL},
        {"3-", NULL},
        {"-3", NULL},
        {"3-13", NULL},
        {"1-2-3", NULL},
        {"1;2", NULL},
        {"all1", NULL},
        {"ALL", NULL},
        {"+1", NULL},
        {"1.", NULL},
        {"18446744073709551617", NULL},
        {"184467440737095516170000000000001", NULL},
        {"kitchen", NULL},
        {"\x1b[2J", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool chosen[COUNT];
        char text[COUNT + 1] = "";
        struct ota_failure failure;
        memset(chosen, 0xFF, sizeof chosen);
        enum ota_error error = choose_parse(rows[i].answer, COUNT, chosen, &failure);
        assert_int_equal(error, rows[i].chosen ? OTA_OK : OTA_E_USAGE);
        for (size_t n = 0; n < COUNT; n++)
            text[n] = chosen[n] ? '1' : '0';
        if (rows[i].chosen)
            assert_string_equal(text, rows[i].chosen);
        else
            assert_null(strchr(failure.message, '\x1b'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
