/*
 * test-txt_record.c: the values of TXT records, as the cores write them and as an attacker might.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/txt_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRINGS_MAX = 3 };

/* Makes a record of strings with these lengths. The bytes behind each are not readable. */
static AvahiStringList *make_record(const char *const *strings, const size_t *lengths, size_t count)
{
    AvahiStringList *record = NULL;

    for (size_t i = count; i-- > 0;) {
        size_t length = lengths ? lengths[i] : strlen(strings[i]);
        size_t size = offsetof(AvahiStringList, text) + length;
        AvahiStringList *string = malloc(size < sizeof *string ? sizeof *string : size);

        assert_non_null(string);
        string->next = record;
        string->size = length;
        memcpy(string->text, strings[i], length);
        record = string;
    }
    return record;
}

static void free_record(AvahiStringList *record)
{
    while (record) {
        AvahiStringList *next = record->next;
        free(record);
        record = next;
    }
}

static void test_txt_values(void **state)
{
    static const struct {
        const char *strings[STRINGS_MAX];
        const char *value; /* of board */
    } cases[] = {
        {{"board=esp32dev"}, "esp32dev"},
        {{"board=\"ESP8266_NODEMCU\""}, "ESP8266_NODEMCU"},
        {{"tcp_check=no", "board=x", "auth_upload=no"}, "x"},
        {{"BOARD=x"}, "x"},
        {{"board=x", "board=y"}, "x"},
        {{"board=a=b"}, "a=b"},
        {{"board=\"a\"b\""}, "a\"b"},
        {{"board=\""}, "\""},
        {{"board=\"\""}, ""},
        {{"board=a\""}, "a\""},
        {{"board="}, ""},
        {{"board", "board=x"}, "x"},
        {{"boards=x"}, ""},
        {{"boar=x"}, ""},
        {{"=x"}, ""},
        {{""}, ""},
        {{0}, ""},
        {{"board=123456789012345"}, "123456789012345"},
        {{"board=1234567890123456"}, "123456789012345"},
        {{"board=\"1234567890123456\""}, "123456789012345"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[16];
        size_t count = 0;

        while (count < STRINGS_MAX && cases[i].strings[count])
            count++;
        AvahiStringList *record = make_record(cases[i].strings, NULL, count);
        assert_string_equal(txt_record_value(value, sizeof value, record, "board"), cases[i].value);
        free_record(record);
    }
}

static void test_nul_ends_a_value(void **state)
{
    char value[16];

    (void)state;
    AvahiStringList *record = make_record((const char *const[]){"board=a\0b"},
                                          (const size_t[]){sizeof "board=a\0b" - 1}, 1);
    assert_string_equal(txt_record_value(value, sizeof value, record, "board"), "a");
    free_record(record);
}

static void test_versions(void **state)
{
    static const struct {
        const char *strings[STRINGS_MAX];
        const char *version;
    } cases[] = {
        {{"board=x", "version=1.2"}, "1.2"},
        {{"app_name=ESPURNA", "app_version=1.15.0-dev"}, "1.15.0-dev"},
        {{"fw_name=node", "fw_version=v7"}, "v7"},
        {{"FW=3"}, "3"},
        {{"sketch=2.0.1", "hspn=2.1.0", "ard-esp32=3.1.0"}, "2.0.1"},
        {{"version=2025.6.0", "project_version=4"}, "4"},
        {{"project_version=", "version=2025.6.0"}, "2025.6.0"},
        {{"version=12345678901234567"}, "123456789012345"},
        {{"versions=1", "board=version=1", "version"}, ""},
        {{0}, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char version[16];
        size_t count = 0;

        while (count < STRINGS_MAX && cases[i].strings[count])
            count++;
        AvahiStringList *record = make_record(cases[i].strings, NULL, count);
        assert_string_equal(txt_record_version(version, sizeof version, record), cases[i].version);
        free_record(record);
    }
}

static void test_flags(void **state)
{
    static const struct {
        const char *string;
        enum txt_record_flag flag;
    } cases[] = {
        {"auth_upload=yes", TXT_YES},           {"auth_upload=no", TXT_NO},
        {"Auth_Upload=YES", TXT_YES},           {"auth_upload=\"no\"", TXT_NO},
        {"auth_upload=yesyesyes", TXT_UNKNOWN}, {"auth_upload=1", TXT_UNKNOWN},
        {"auth_upload=", TXT_UNKNOWN},          {"auth_upload", TXT_UNKNOWN},
        {"ssh_upload=no", TXT_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AvahiStringList *record = make_record(&cases[i].string, NULL, 1);
        assert_int_equal(txt_record_flag(record, "auth_upload"), cases[i].flag);
        free_record(record);
    }
    assert_int_equal(txt_record_flag(NULL, "auth_upload"), TXT_UNKNOWN);
}

static void test_txt_pairs(void **state)
{
    static const struct {
        const char *strings[STRINGS_MAX];
        size_t capacity;
        const char *pairs; /* with "|" in place of NUL */
    } cases[] = {
        {{"board=esp32dev", "auth_upload=no"}, 64, "board=esp32dev|auth_upload=no||"},
        {{"board=\"ESP8266_NODEMCU\""}, 64, "board=ESP8266_NODEMCU||"},
        {{"flag", "=x", "a=b=c"}, 64, "a=b=c||"},
        {{"a=", "b b=\"", "\xff=1"}, 64, "a=|b b=\"||"},
        {{"a\tb=1"}, 64, "|"},
        {{NULL}, 1, "|"},
        {{"a=1"}, 1, "|"},
        {{"a=1"}, 4, "|"},
        {{"a=1"}, 5, "a=1||"},
        {{"a=12", "b=2"}, 5, "b=2||"}, /* what does not fit is left out */
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char target[64], shown[sizeof target] = "";
        size_t count = 0, length = 0;

        while (count < STRINGS_MAX && cases[i].strings[count])
            count++;
        AvahiStringList *record = make_record(cases[i].strings, NULL, count);
        assert_ptr_equal(txt_record_pairs(target, cases[i].capacity, record), target);
        for (const char *pair = target; *pair; pair += strlen(pair) + 1)
            length += (size_t)snprintf(shown + length, sizeof shown - length, "%s|", pair);
        snprintf(shown + length, sizeof shown - length, "|");
        assert_string_equal(shown, cases[i].pairs);
        free_record(record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_txt_values),
        cmocka_unit_test(test_txt_pairs),
        cmocka_unit_test(test_nul_ends_a_value),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
