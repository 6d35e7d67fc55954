/*
 * test-config.c: sections and entries of several files, and which of them take precedence.
 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char first_shown[] = "first", second_shown[] = "second";
static const struct config_file first = {.shown = first_shown};
static const struct config_file second = {.shown = second_shown};

static void add(struct config *config, const struct config_file *file, const char *text)
{
    struct ota_failure failure;

    if (config_add(config, file, text, strlen(text), &failure) != OTA_OK)
        fail_msg("%s", failure.message);
}

static void test_precedence(void **state)
{
    (void)state;
    struct config config = {0};

    add(&config, &first, "a = 1\n[board Kitchen]\nhost = x\n");
    add(&config, &second, "a = 2\n[group kitchen]\nmembers = y\n[board kitchen]\nport = 9\n");
    assert_int_equal(config.section_count, 5);
    assert_int_equal(config.entry_count, 5);

    const struct config_section *board =
        config_find_section(&config, CONFIG_BOARD, "kitchen", NULL);
    assert_ptr_equal(board->file, &first);
    assert_int_equal(board->number, 2);
    assert_string_equal(config_find_entry(&config, board, "host")->value, "x");
    assert_null(config_find_entry(&config, board, "port"));

    board = config_find_section(&config, CONFIG_BOARD, "KITCHEN", board);
    assert_ptr_equal(board->file, &second);
    assert_string_equal(config_find_entry(&config, board, "port")->value, "9");
    assert_null(config_find_section(&config, CONFIG_BOARD, "kitchen", board));

    assert_ptr_equal(config_find_section(&config, CONFIG_GROUP, "kitchen", NULL)->file, &second);
    assert_null(config_find_section(&config, CONFIG_GROUP, "kitche", NULL));

    const struct config_section *general = config_find_section(&config, CONFIG_GENERAL, "", NULL);
    assert_string_equal(config_find_entry(&config, general, "a")->value, "1");
    config_free(&config);
}

static const struct {
    const char *text;
    const char *message;
} refused_rows[] = {
    {"[kitchen]\n", "first, line 1: the section [kitchen] is not known"},
    {"[boards x]\n", "first, line 1: the section [boards x] is not known"},
    {"[Board x]\n", "first, line 1: the section [Board x] is not known"},
    {"[]\n", "first, line 1: the section [] is not known"},
    {"[board]\n", "first, line 1: the name of a board or group"},
    {"[board ]\n", "first, line 1: the name of a board or group"},
    {"[board a.b]\n", "first, line 1: the name of a board or group"},
    {"[board a b]\n", "first, line 1: the name of a board or group"},
    {"[board -a]\n", "first, line 1: the name of a board or group"},
    {"[board @a]\n", "first, line 1: the name of a board or group"},
    {"[board a\xff]\n", "first, line 1: the name of a board or group"},
    {"[board a\xe2\x80\xae]\n", "first, line 1: the name of a board or group"},
    {"[board a]\n\n[board  A ]\n", "first, line 3: the section is there already, in line 1"},
    {"x\n", "first, line 1: it is neither"},
};

static void test_refused_sections(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused_rows / sizeof *refused_rows; i++) {
        struct config config = {0};
        struct ota_failure failure;
        const char *text = refused_rows[i].text;

        assert_int_equal(config_add(&config, &first, text, strlen(text), &failure), OTA_E_USAGE);
        if (strncmp(failure.message, refused_rows[i].message, strlen(refused_rows[i].message)) != 0)
            fail_msg("row %zu: %s", i, failure.message);
        config_free(&config);
    }
}

static void test_names(void **state)
{
    (void)state;
    static const char *const texts[] = {"[board a]", "[ board\ta-b_9 ]",
                                        ("[group K\xc3\xbc"
                                         "che]")};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct config config = {0};

        add(&config, &first, texts[i]);
        assert_int_equal(config.section_count, 1);
        assert_null(strpbrk(config.sections[0].name, " \t"));
        config_free(&config);
    }
}

static void test_blame(void **state)
{
    (void)state;
    char name[] = "port", value[] = "\x1b";
    const struct config_entry entry = {.file = &first, .number = 7, .name = name, .value = value};
    struct ota_failure failure = {.error = OTA_E_USAGE, .message = "is no port"};

    assert_int_equal(config_blame_value(&entry, &failure), OTA_E_USAGE);
    assert_string_equal(failure.message, "first, line 7: \"port = \\x1b\" is no port");

    char user_name[] = "user", user_value[] = "admin:pw"; /* a password in the wrong place */
    const struct config_entry user = {
        .file = &first, .number = 3, .name = user_name, .value = user_value};
    failure = (struct ota_failure){.error = OTA_E_USAGE, .message = "is wrong"};
    assert_int_equal(config_blame_value(&user, &failure), OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "line 3: \"user = admin:...\" is wrong"));

    failure = (struct ota_failure){.error = OTA_E_USAGE, .message = "no port"};
    assert_int_equal(config_blame(&entry, &failure), OTA_E_USAGE);
    assert_string_equal(failure.message, "first, line 7: no port");

    /* Nobody's fault. */
    failure = (struct ota_failure){.error = OTA_E_INTERNAL, .message = "out of memory"};
    assert_int_equal(config_blame(&entry, &failure), OTA_E_INTERNAL);
    assert_string_equal(failure.message, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_refused_sections),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_blame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
