/*
 * test-service.c: each service has a type of its own, and a TXT record tells which instances of a
 * shared one are boards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/service.h"

#include <stdlib.h>
#include <string.h>

static void test_types(void **state)
{
    (void)state;
    for (int i = 0; i < SERVICE_COUNT; i++) {
        const char *type = service_type((enum service)i);

        assert_true(type[0] == '_' && strstr(type, "._tcp"));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(type, service_type((enum service)k));
    }
}

static AvahiStringList *make_string(const char *text, AvahiStringList *next)
{
    size_t length = strlen(text);
    AvahiStringList *string = malloc(sizeof *string + length);

    assert_non_null(string);
    string->next = next;
    string->size = length;
    memcpy(string->text, text, length);
    return string;
}

static void test_boards_of_a_shared_type(void **state)
{
    static const struct {
        const char *text;
        enum service service;
        bool is_board;
    } rows[] = {
        {"devicetype=tasmota", SERVICE_TASMOTA, true},
        {"DeviceType=tasmota", SERVICE_TASMOTA, true},
        {"devicetype=tasmota2", SERVICE_TASMOTA, false},
        {"devicetype=printer", SERVICE_TASMOTA, false},
        {"devicetype=", SERVICE_TASMOTA, false},
        {"devicetype", SERVICE_TASMOTA, false},
        {"type=tasmota", SERVICE_TASMOTA, false},
        {"type=tasmota", SERVICE_WLED, true},
        {"type=tasmota", SERVICE_ARDUINO, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AvahiStringList *second = make_string(rows[i].text, NULL);
        AvahiStringList *first = make_string("mac=1", second);

        assert_int_equal(service_is_board(rows[i].service, first), rows[i].is_board);
        free(first);
        free(second);
    }
    assert_false(service_is_board(SERVICE_TASMOTA, NULL));
    assert_true(service_is_board(SERVICE_WLED, NULL));
    assert_true(service_is_shared(SERVICE_TASMOTA));
    assert_false(service_is_shared(SERVICE_ARDUINO) || service_is_shared(SERVICE_WLED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_boards_of_a_shared_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
