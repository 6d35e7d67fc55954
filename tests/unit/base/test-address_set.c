/*
 * test-address_set.c: addresses that are in a set, and those that are not.
 */
#include "base/address_set.h"

#include "support/failing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct address parse(const char *text)
{
    struct address address;

    assert_true(address_parse(&address, text));
    return address;
}

static void test_set(void **state)
{
    (void)state;
    struct address_set set = {0};
    struct address address = parse("10.0.0.1");

    assert_false(address_set_has(&set, &address));
    for (int i = 1; i <= 20; i++) {
        char text[32];

        snprintf(text, sizeof text, "10.0.0.%d", i);
        address = parse(text);
        assert_true(address_set_add(&set, &address));
        address_set_port(&address, 8266); /* the same address */
        assert_true(address_set_add(&set, &address));
        assert_int_equal(set.count, i);
    }
    for (int i = 1; i <= 21; i++) {
        char text[32];

        snprintf(text, sizeof text, "10.0.0.%d", i);
        address = parse(text);
        assert_int_equal(address_set_has(&set, &address), i <= 20);
    }

    address = parse("fe80::1");
    assert_false(address_set_has(&set, &address));
    address_set_clear(&set);
    address = parse("10.0.0.1");
    assert_false(address_set_has(&set, &address));
}

static void test_no_memory(void **state)
{
    (void)state;
    struct address_set set = {0};
    const struct address first = parse("10.0.0.1"), second = parse("10.0.0.2");

    assert_true(address_set_add(&set, &first));
    failing_start_for_good(FAILING_ALLOCATION, ENOMEM);
    assert_false(address_set_add(&set, &second));
    assert_true(address_set_add(&set, &first));
    assert_true(failing_stop());
    assert_false(address_set_has(&set, &second));
    assert_true(address_set_has(&set, &first));
    address_set_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
