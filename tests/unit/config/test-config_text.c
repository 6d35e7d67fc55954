/*
 * test-config_text.c: the text of configuration files, good and bad.
 */
#include "config/config_text.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { HEARD_MAX = 1024 };

/* Writes "NUMBER [SECTION]" and "NUMBER SECTION|NAME|VALUE". */
static enum ota_error hear(const struct config_line *line, void *userdata,
                           struct ota_failure *failure)
{
    char *heard = userdata;
    size_t length = strlen(heard);

    if (line->name && strcmp(line->name, "stop") == 0)
        return ota_fail(failure, OTA_E_IMAGE, "stopped");
    if (line->name)
        snprintf(heard + length, HEARD_MAX - length, "%zu %s|%s|%s;", line->number, line->section,
                 line->name, line->value);
    else
        snprintf(heard + length, HEARD_MAX - length, "%zu [%s];", line->number, line->section);
    return OTA_OK;
}

static const struct {
    const char *text;
    const char *heard;
} good_rows[] = {
    {"", ""},
    {"\n \t\n# a\n; b\n", ""},
    {"a = 1", "1 |a|1;"},
    {"a = 1\r\nb=2\r\n", "1 |a|1;2 |b|2;"},
    {"\xef\xbb\xbf"
     "a = 1\n",
     "1 |a|1;"},
    {"\xef\xbb\xbf# a\nb:2\n", "2 |b|2;"},
    {"  a   =   1 2   # x\n\tb=2\n", "1 |a|1 2;2 |b|2;"},
    {"a = 1 ; x\na = 1;x\na = 1#x\n", "1 |a|1;2 |a|1;x;3 |a|1#x;"},
    {"a =\nb = \"\"\nc = \"\n", "1 |a|;2 |b|;3 |c|\";"},
    {"a = \" 1 \"\nb = x\"1\"\n", "1 |a| 1 ;2 |b|x\"1\";"},
    {"a = b = c\n= d\n", "1 |a|b = c;2 ||d;"},
    {"[x]\n[y] # empty\na = 1\n[ board k ]\n", "1 [x];2 [y];3 y|a|1;4 [ board k ];"},
    {"[x]\n\n a = 1\n   b = 2\n", "1 [x];3 x|a|1;4 x|b|2;"},
    {"[]\na = 1\n", "1 [];2 |a|1;"},
    {"a = \xc3\xbc\xff\n", "1 |a|\xc3\xbc\xff;"},
};

static void test_good_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_rows / sizeof *good_rows; i++) {
        char heard[HEARD_MAX] = "";
        struct ota_failure failure;
        const char *text = good_rows[i].text;

        if (config_text_read("f", text, strlen(text), hear, heard, &failure) != OTA_OK)
            fail_msg("row %zu: %s", i, failure.message);
        assert_string_equal(heard, good_rows[i].heard);
    }
}

#define BAD(text, heard, message)                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1, heard, message                                                     \
    }

static const struct {
    const char *text;
    size_t length;
    const char *heard; /* before the mistake */
    const char *message;
} bad_rows[] = {
    BAD("a = 1\nsecret\nb = 2\n", "1 |a|1;", "f, line 2: it is neither [SECTION] nor NAME = VALUE"),
    BAD("secret", "", "f, line 1: it is neither [SECTION] nor NAME = VALUE"),
    BAD("a = 1\n\n\n  secret\n", "1 |a|1;", "f, line 4: it is neither [SECTION] nor NAME = VALUE"),
    BAD("[x\na = 1\n", "", "f, line 1: a section ends with a ]"),
    BAD("[x] y\n", "", "f, line 1: a section ends with a ]"),
    BAD("[x]]\n", "", "f, line 1: a section has only one ]"),
    BAD("a = 1\nb\0 = 2\n", "1 |a|1;",
        "f, line 2: it has a NUL or another control character, but the file should be text"),
    BAD("\x01=1\n", "",
        "f, line 1: it has a NUL or another control character, but the file should be text"),
};

static void test_bad_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
        char heard[HEARD_MAX] = "";
        struct ota_failure failure;

        assert_int_equal(
            config_text_read("f", bad_rows[i].text, bad_rows[i].length, hear, heard, &failure),
            OTA_E_USAGE);
        assert_string_equal(failure.message, bad_rows[i].message);
        assert_string_equal(heard, bad_rows[i].heard);
    }
}

/* What the listener fails with is passed on, and nothing follows. */
static void test_stopped(void **state)
{
    (void)state;
    char heard[HEARD_MAX] = "";
    struct ota_failure failure;
    const char text[] = "a = 1\nstop = 2\nc = 3\nd\n";

    assert_int_equal(config_text_read("f", text, strlen(text), hear, heard, &failure), OTA_E_IMAGE);
    assert_string_equal(failure.message, "stopped");
    assert_string_equal(heard, "1 |a|1;");
}

/* A line is taken whole, or refused: libinih would split it, and cut the name of a section. */
static void test_long_lines(void **state)
{
    (void)state;
    for (size_t length = 100; length < 400; length++) {
        char text[512] = "v = ", heard[HEARD_MAX] = "", expected[HEARD_MAX];
        struct ota_failure failure;

        memset(text + 4, 'x', length);
        text[4 + length] = '\0';
        snprintf(expected, sizeof expected, "1 |v|%s;", text + 4);
        if (config_text_read("f", text, strlen(text), hear, heard, &failure) == OTA_OK) {
            assert_string_equal(heard, expected);
            assert_true(length < 200);
        } else {
            assert_non_null(strstr(failure.message, "f, line 1: the line is too long"));
            assert_true(length > 190);
        }
    }
    for (size_t length = 1; length < 100; length++) {
        char text[128] = "[", heard[HEARD_MAX] = "", expected[HEARD_MAX];
        struct ota_failure failure;

        memset(text + 1, 'x', length);
        memcpy(text + 1 + length, "]", 2);
        snprintf(expected, sizeof expected, "1 %s;", text);
        if (config_text_read("f", text, strlen(text), hear, heard, &failure) == OTA_OK)
            assert_string_equal(heard, expected);
        else
            assert_true(length > CONFIG_SECTION_LENGTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_texts),
        cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_long_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
