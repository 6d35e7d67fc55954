/*
 * test-board_menu.c: answers to the menu of boards. test_select.py covers the menu at a terminal.
 */
#include "cli/board_menu.h"

#include "base/loop.h"
#include "support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { COUNT = 12 };

/* The second and the last cannot be chosen; the others are numbered from 1 to 10. */
static const char *const names[COUNT] = {
    "attic",  "oven",   "kitchen", "kitchen-2", "Living room lamp", "Garage, left",
    "lab-01", "lab-02", "lab-03",  "42",        "K\303\274che",     "lab-x"};

static struct board boards[COUNT];
static struct choice choices[COUNT];

static int set_up_menu(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT; i++) {
        snprintf(boards[i].instance, sizeof boards[i].instance, "%s", names[i]);
        boards[i].is_resolved = true;
        choices[i] = (struct choice){.board = &boards[i]};
    }
    for (size_t i = 0; i < 3; i++) {
        boards[i].has_address = true;
        assert_true(address_parse(&boards[i].address,
                                  (const char *[]){"10.0.0.7", "10.0.0.8", "fd00::9"}[i]));
    }
    snprintf(boards[0].host, sizeof boards[0].host, "roof.local");
    snprintf(choices[1].reason, sizeof choices[1].reason, "the image is for the chip esp32");
    snprintf(choices[11].reason, sizeof choices[11].reason, "the image is for the chip esp32");
    return 0;
}

static const struct {
    const char *answer;
    const char *chosen; /* a digit for each board; NULL: the answer is rejected */
} typed_answers_rows[] = {
    {"1", "100000000000"},
    {"2", "001000000000"},
    {"10", "000000000010"},
    {"2 4", "001010000000"},
    {"2,4", "001010000000"},
    {" 2 ,\t4, ", "001010000000"},
    {"3-5", "000111000000"},
    {"1-1 5-10", "100001111110"},
    {"1,3-5", "100111000000"},
    {"all", "101111111110"},
    {"1 all", "101111111110"},
    {"07", "000000010000"},
    /* names and patterns */
    {"kitchen", "001000000000"},
    {"KITCHEN", "001000000000"},
    {"roof.local", "100000000000"},
    {"lab-*", "000000111000"},
    {"kitchen*, lab-0[12]", "001100110000"},
    {"kitchen lab-01 1", "101000100000"},
    {"1,3-5,lab-03", "100111001000"},
    {"Living room lamp", "000010000000"},
    {"Living room lamp, 1", "100010000000"},
    {"Garage, left", "000001000000"},
    {"K\xc3\xbc"
     "che",
     "000000000010"},
    {"42", "000000000100"},
    {"*", "101111111110"},
    {"10.0.0.7", "100000000000"},
    {"FD00:0::9, 10.0.0.7 lab-01", "101000100000"},
    {"'lab-*'", "000000111000"},
    {"\"Living room lamp\"", "000010000000"},
    {"'Garage, left','lab-0[1]' \"kitchen\", 1", "101001100000"},
    {"'42'", "000000000100"},
    {"'lab-x'", NULL},
    {"'kitchen", NULL},
    {"''", NULL},
    {"10.0.0.8", NULL},
    {"10.0.0.9", NULL},
    {"10.0.0.*", NULL}, /* might mean more boards than are shown */
    {"o*, attic", NULL},
    {"oven", NULL},
    {"lab-x", NULL},
    {"kitchen oven", NULL},
    {"Living room", NULL},
    {"kitch", NULL},
    {"cellar*", NULL},
    {"", NULL},
    {" , ", NULL},
    {"0", NULL},
    {"11", NULL},
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
    {"\x1b[2J", NULL},
};

static void test_typed_answers(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof typed_answers_rows / sizeof *typed_answers_rows; i++) {
        char text[COUNT + 1] = "";
        struct ota_failure failure = {0};
        for (size_t n = 0; n < COUNT; n++)
            choices[n].is_chosen = true;
        enum ota_error error =
            board_menu_parse(typed_answers_rows[i].answer, choices, COUNT, &failure);
        for (size_t n = 0; n < COUNT; n++)
            text[n] = choices[n].is_chosen ? '1' : '0';
        if ((error == OTA_OK) != (typed_answers_rows[i].chosen != NULL))
            fail_msg("'%s': %s", typed_answers_rows[i].answer,
                     error == OTA_OK ? text : failure.message);
        if (typed_answers_rows[i].chosen)
            assert_string_equal(text, typed_answers_rows[i].chosen);
        else
            assert_null(strchr(failure.message, '\x1b'));
    }
}

/* A name is typed as it is shown; in a pattern, a backslash takes the next character as it is. */
static void test_shown_names(void **state)
{
    static const struct {
        const char *name, *answer;
    } rows[] = {{"a\\b", "a\\\\b"},
                {"a\\b", "a\\\\*"},
                {"a\\b\u00ad", "a\\\\b\\u00ad"},
                {"Lamp\u00ad 1", "Lamp\\u00ad*"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure;

        snprintf(boards[0].instance, sizeof boards[0].instance, "%s", rows[i].name);
        assert_int_equal(board_menu_parse(rows[i].answer, choices, COUNT, &failure), OTA_OK);
        for (size_t n = 0; n < COUNT; n++)
            assert_int_equal(choices[n].is_chosen, n == 0);
    }
}

static void test_reasons(void **state)
{
    (void)state;
    struct ota_failure failure;

    assert_int_equal(board_menu_parse("kitchen, oven", choices, COUNT, &failure), OTA_E_IMAGE);
    assert_string_equal(failure.message,
                        "'oven' cannot be chosen: the image is for the chip esp32");
    assert_int_equal(board_menu_parse("1, cellar", choices, COUNT, &failure), OTA_E_USAGE);
    assert_string_equal(failure.message, "no board in the list has the name or address 'cellar'");
    assert_int_equal(board_menu_parse("1, 11", choices, COUNT, &failure), OTA_E_USAGE);
    assert_string_equal(failure.message, "'11' is not a number or a range from 1 to 10");
    assert_int_equal(board_menu_parse("3-1", choices, COUNT, &failure), OTA_E_USAGE);
    assert_string_equal(failure.message, "'3-1' is not a number or a range from 1 to 10");
    assert_int_equal(board_menu_parse("cell-*", choices, COUNT, &failure), OTA_E_USAGE);
    assert_string_equal(failure.message, "no board in the list matches 'cell-*'");
}

/* Shows the menu to somebody who types this; returns what is shown. */
static const char *choose(const char *typed, enum ota_error *error, struct ota_failure *failure)
{
    static struct capture capture;
    struct loop *loop = loop_new();
    const int stdin_saved = dup(STDIN_FILENO);
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], typed, strlen(typed)), strlen(typed));
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    capture_begin(&capture);
    *error = board_menu_choose(loop, choices, COUNT, failure);
    capture_end(&capture);
    dup2(stdin_saved, STDIN_FILENO);
    close(stdin_saved);
    loop_free(loop);
    return capture.text_err;
}

static void test_conversation(void **state)
{
    char too_long[2048] = "";
    struct ota_failure failure;
    enum ota_error error;
    (void)state;

    const char *shown = choose("cellar\n2\n", &error, &failure);
    assert_int_equal(error, OTA_OK);
    assert_true(choices[2].is_chosen);
    assert_non_null(strstr(shown, "name or address 'cellar'"));
    assert_non_null(strstr(shown, "an empty line chooses none"));
    assert_non_null(strstr(shown, "the image is for the chip esp32"));

    choose("2", &error, &failure); /* the input ends within the line */
    assert_int_equal(error, OTA_E_USAGE);
    choose("\n2\n", &error, &failure);
    assert_int_equal(error, OTA_E_USAGE);
    memset(too_long, '1', sizeof too_long - 1);
    choose(too_long, &error, &failure);
    assert_int_equal(error, OTA_E_USAGE);
    assert_string_equal(failure.message, "no board was chosen");
}

/* Boards that cannot be chosen are dimmed where the terminal can do that. */
static void test_dimmed(void **state)
{
    static const struct {
        const char *term, *no_color;
        bool is_dimmed;
    } rows[] = {{"xterm", NULL, true}, {"xterm", "", true}, {"xterm", "1", false},
                {"dumb", NULL, false}, {"", NULL, false},   {NULL, NULL, false}};
    struct ota_failure failure;
    enum ota_error error;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsetenv("TERM");
        unsetenv("NO_COLOR");
        if (rows[i].term)
            setenv("TERM", rows[i].term, 1);
        if (rows[i].no_color)
            setenv("NO_COLOR", rows[i].no_color, 1);
        const char *shown = choose("all\n", &error, &failure);
        assert_int_equal(error, OTA_OK);
        assert_int_equal(strstr(shown, "\x1b[2m") != NULL, rows[i].is_dimmed);
    }
}

static void test_none_offered(void **state)
{
    struct ota_failure failure;
    enum ota_error error;
    (void)state;

    for (size_t i = 0; i < COUNT; i++)
        snprintf(choices[i].reason, sizeof choices[i].reason, "too large");
    choose("all\n", &error, &failure);
    assert_int_equal(error, OTA_E_IMAGE);
    assert_non_null(strstr(failure.message, "--force"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_typed_answers, set_up_menu),
                                       cmocka_unit_test_setup(test_shown_names, set_up_menu),
                                       cmocka_unit_test_setup(test_reasons, set_up_menu),
                                       cmocka_unit_test_setup(test_conversation, set_up_menu),
                                       cmocka_unit_test_setup(test_dimmed, set_up_menu),
                                       cmocka_unit_test_setup(test_none_offered, set_up_menu)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
