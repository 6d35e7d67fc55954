/*
 * test-etc_hosts.c: the addresses of a name in a hosts file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/etc_hosts.h"

#include <stdio.h>
#include <string.h>

enum { CAPACITY = 8 };

static const char text[] = "# Kitchen 10.0.0.1\n"
                           "127.0.0.1\tlocalhost loop # lamp.local\n"
                           "::1 localhost\n"
                           "\n"
                           "  10.0.0.7   Kitchen.Local\tkitchen\r\n"
                           "fd00::7 kitchen.local\n"
                           "10.0.0.7 kitchen.local kitchen.local\n"
                           "fe80::7%lo shed\n"
                           "fe80::7%nonsense shed\n"
                           "fe80::7 shed hut\n"
                           "0.0.0.0 blocked\n"
                           "224.0.0.251 group\n"
                           "10.0.0.300 wrong\n"
                           "kitchen 10.0.0.8\n"
                           "10.0.0.9\n"
                           "10.0.0.10 last";

static size_t search(char found[512], const char *name, const char *hosts, size_t length,
                     size_t capacity)
{
    struct address addresses[CAPACITY];
    size_t count = etc_hosts_search(addresses, capacity, name, hosts, length);

    found[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char shown[ADDRESS_TEXT_MAX];
        size_t used = strlen(found);
        snprintf(found + used, 512 - used, "%s%s", i ? " " : "",
                 address_text(shown, &addresses[i]));
    }
    return count;
}

static void test_host_names(void **state)
{
    static const struct {
        const char *name, *addresses;
    } table[] = {
        {"kitchen.local", "10.0.0.7 fd00::7"},
        {"KITCHEN", "10.0.0.7"},
        {"localhost", "127.0.0.1 ::1"},
        {"loop", "127.0.0.1"},
        {"shed", "fe80::7%lo"},
        {"last", "10.0.0.10"},
        {"lamp.local", ""},
        {"kitche", ""},
        {"kitchen.loca", ""},
        {"hut", ""},
        {"blocked", ""},
        {"group", ""},
        {"wrong", ""},
        {"10.0.0.9", ""},
        {"10.0.0.8", ""},
        {"", ""},
    };
    char found[512];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        search(found, table[i].name, text, strlen(text), CAPACITY);
        assert_string_equal(found, table[i].addresses);
    }
}

static void test_limits(void **state)
{
    char found[512], lines[2048] = "";

    (void)state;
    for (int i = 1; i <= 20; i++) {
        size_t used = strlen(lines);
        snprintf(lines + used, sizeof lines - used, "10.0.0.%d many\n", i);
    }
    assert_int_equal(search(found, "many", lines, strlen(lines), 2), 2);
    assert_string_equal(found, "10.0.0.1 10.0.0.2");
    static const char nul[] = "10.0.0.1\0 a\n\0 10.0.0.2 a\n10.0.0.3 a\0b a\n";
    assert_int_equal(search(found, "a", nul, sizeof nul - 1, CAPACITY), 1);
    assert_string_equal(found, "10.0.0.3");
    assert_int_equal(search(found, "a", "", 0, CAPACITY), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_names),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
