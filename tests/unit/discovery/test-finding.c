/*
 * test-finding.c: the order of addresses, and the host that they belong to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/finding.h"

#include <stdio.h>
#include <string.h>

/* "10.0.0.7" is found as an address, "=10.0.0.7" is announced by the host "kitchen.local". */
static void add(struct finding *finding, const char *text)
{
    struct mdns_answer answer = {.has_address = true, .interface = "lan0", .host = "kitchen.local"};
    const bool is_announced = *text == '=';

    assert_true(address_parse(&answer.address, text + is_announced));
    if (is_announced)
        finding_add_host(finding, &answer);
    else
        finding_add_address(finding, &answer.address);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *found[4];
        const char *addresses, *common_host;
    } rows[] = {
        {{NULL}, "", ""},
        {{"10.0.0.7"}, "10.0.0.7", ""},
        {{"=10.0.0.7"}, "10.0.0.7", "kitchen.local"},
        {{"=fd00::7", "=10.0.0.7"}, "10.0.0.7 fd00::7", "kitchen.local"},
        {{"=10.0.0.7", "=10.0.0.8", "=10.0.0.7"}, "10.0.0.7 10.0.0.8", "kitchen.local"},
        {{"10.0.0.8", "=10.0.0.7"}, "10.0.0.8 10.0.0.7", ""},
        {{"10.0.0.7", "10.0.0.8", "=10.0.0.8", "=10.0.0.7"}, "10.0.0.7 10.0.0.8", "kitchen.local"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct finding finding = {0};
        const struct resolution *resolution = &finding.resolution;
        char addresses[128] = "", text[ADDRESS_TEXT_MAX];

        for (size_t j = 0; j < 4 && rows[i].found[j]; j++)
            add(&finding, rows[i].found[j]);
        for (size_t j = 0; j < resolution->count; j++)
            snprintf(addresses + strlen(addresses), sizeof addresses - strlen(addresses), "%s%s",
                     j ? " " : "", address_text(text, &resolution->addresses[j]));
        assert_string_equal(addresses, rows[i].addresses);
        assert_string_equal(finding_common_host(resolution), rows[i].common_host);
    }
}

static void test_drop(void **state)
{
    struct finding finding = {0};
    struct address gone;

    (void)state;
    add(&finding, "10.0.0.7");
    add(&finding, "fd00::7");
    assert_true(finding_has_ipv4(&finding));
    assert_true(address_parse(&gone, "10.0.0.7"));
    finding_drop_address(&finding, &gone);
    assert_int_equal(finding.resolution.count, 1);
    assert_false(finding_has_ipv4(&finding));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
