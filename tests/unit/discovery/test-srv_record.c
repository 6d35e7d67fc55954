/*
 * test-srv_record.c: SRV records, valid and malformed, and their names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/srv_record.h"

#include <string.h>

#define DATA(text) text, sizeof(text) - 1

static void test_parse_srv_record(void **state)
{
    static const struct {
        const char *data;
        size_t size;
        const char *host; /* NULL: refused */
        uint16_t port;
    } rows[] = {
        {DATA("\0\0\0\0\x20\x4a\007kitchen\005local\0"), "kitchen.local", 8266},
        {DATA("\0\1\0\2\xff\xff\003a.b\003c\\d\0"), "a\\.b.c\\\\d", 65535},
        {DATA("\0\0\0\0\0\0\001a\0"), "a", 0},
        {DATA("\0\0\0\0\x20\x4a\007kitchen\005local"), NULL, 0},
        {DATA("\0\0\0\0\x20\x4a\007kitchen\005loca"), NULL, 0},
        {DATA("\0\0\0\0\x20\x4a\001a\0x"), NULL, 0},
        {DATA("\0\0\0\0\x20\x4a\300\x0c"), NULL, 0},
        {DATA("\0\0\0\0\x20\x4a\001\0\0"), NULL, 0},
        {DATA("\0\0\0\0\x20\x4a\0"), NULL, 0},
        {DATA("\0\0\0\0\x20\x4a"), NULL, 0},
        {DATA("\0"), NULL, 0},
        {DATA(""), NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char host[64];
        uint16_t port = 0;
        bool is_parsed = srv_record_parse(host, sizeof host, &port, rows[i].data, rows[i].size);

        assert_int_equal(is_parsed, rows[i].host != NULL);
        if (!is_parsed)
            continue;
        assert_string_equal(host, rows[i].host);
        assert_int_equal(port, rows[i].port);
    }
}

static void test_room(void **state)
{
    static const char data[] = "\0\0\0\0\0\1\003a.b\005local"; /* and its NUL */

    (void)state;
    for (size_t capacity = 0; capacity < 16; capacity++) {
        char host[16];
        uint16_t port;
        assert_int_equal(srv_record_parse(host, capacity, &port, data, sizeof data),
                         capacity > strlen("a\\.b.local"));
    }
}

static void test_srv_record_name(void **state)
{
    char name[32];

    (void)state;
    assert_true(srv_record_name(name, sizeof name, "v2.1 \\o/", "_x._tcp", "local"));
    assert_string_equal(name, "v2\\.1 \\\\o/._x._tcp.local");
    assert_false(srv_record_name(name, sizeof name, "a name that is too long", "_x._tcp", "local"));
    assert_false(srv_record_name(name, 0, "a", "_x._tcp", "local"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_srv_record),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_srv_record_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
