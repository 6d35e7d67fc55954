/*
 * test-address.c: addresses as text and as the kernel returns them. Needs the interface "lo".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    const char *shown;      /* NULL: not an address */
    const char *shown_port; /* with port 8266 */
} rows[] = {
    {"192.168.1.5", "192.168.1.5", "192.168.1.5:8266"},
    {"0.0.0.0", "0.0.0.0", "0.0.0.0:8266"},
    {"::1", "::1", "[::1]:8266"},
    {"FD00:0:0:0::Ab", "fd00::ab", "[fd00::ab]:8266"},
    {"fe80::1%lo", "fe80::1%lo", "[fe80::1%lo]:8266"},
    {"fe80::1%1", "fe80::1%lo", "[fe80::1%lo]:8266"},
    {"fe80::1%25lo", "fe80::1%lo", "[fe80::1%lo]:8266"},
    {"fe80::1%251", "fe80::1%lo", "[fe80::1%lo]:8266"},
    {"fe80::1", "fe80::1", "[fe80::1]:8266"},
    {"fd00::1%lo", "fd00::1", "[fd00::1]:8266"},
    {"::ffff:10.0.0.7", "10.0.0.7", "10.0.0.7:8266"},
    {"::ffff:a00:7", "10.0.0.7", "10.0.0.7:8266"},
    {"::10.0.0.7", "::10.0.0.7", "[::10.0.0.7]:8266"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:8266"},
    /* not addresses, although inet_aton() accepts some of them */
    {"", NULL, NULL},
    {"1", NULL, NULL},
    {"1.2.3", NULL, NULL},
    {"0x7f.1", NULL, NULL},
    {"1.2.3.4.5", NULL, NULL},
    {"1.2.3.256", NULL, NULL},
    {"1.2.3.04", NULL, NULL},
    {"1.2.3.4 ", NULL, NULL},
    {" 1.2.3.4", NULL, NULL},
    {"1.2.3.4%lo", NULL, NULL},
    {"1.2.3.4:80", NULL, NULL},
    {"::ffff:1.2.3.4%lo", NULL, NULL},
    {"[::1]", NULL, NULL},
    {"::1::", NULL, NULL},
    {":::1", NULL, NULL},
    {"1:2:3:4:5:6:7:8:9", NULL, NULL},
    {"fe80::1%", NULL, NULL},
    {"fe80::1%nosuch0", NULL, NULL},
    {"fe80::1%0", NULL, NULL},
    {"fe80::1%25", NULL, NULL},
    {"fe80::1%25nosuch0", NULL, NULL},
    {"fe80::1%2525lo", NULL, NULL},
    {"fe80::1%-1", NULL, NULL},
    {"fe80::1%1x", NULL, NULL},
    {"fe80::1%lo:1", NULL, NULL},
    {"fe80::1%4294967297", NULL, NULL},
    {"fe80::1%99999999999999999999", NULL, NULL},
    {"fe80::1%a-name-that-no-interface-could-ever-have", NULL, NULL},
    {"%lo", NULL, NULL},
    {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", NULL, NULL},
    {"localhost", NULL, NULL},
};

static void test_parse_and_show(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address address;
        struct address before;
        char text[ADDRESS_TEXT_MAX + 8];

        memset(&address, 0x5A, sizeof address);
        before = address;
        if (rows[i].shown == NULL) {
            if (address_parse(&address, rows[i].text))
                fail_msg("\"%s\" was taken for an address", rows[i].text);
            assert_memory_equal(&address, &before, sizeof address);
            continue;
        }
        assert_true(address_parse(&address, rows[i].text));
        assert_int_equal(address_port(&address), 0);
        assert_string_equal(address_text(text, &address), rows[i].shown);
        address_set_port(&address, 8266);
        assert_int_equal(address_port(&address), 8266);
        assert_string_equal(address_text_port(text, &address), rows[i].shown_port);
        assert_string_equal(address_text(text, &address), rows[i].shown);
    }
}

static struct address parsed(const char *text)
{
    struct address address;

    assert_true(address_parse(&address, text));
    return address;
}

static void test_equal_addresses(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } pairs[] = {
        {"10.0.0.7", "10.0.0.7", true},
        {"10.0.0.7", "10.0.0.8", false},
        {"10.0.0.7", "::ffff:10.0.0.7", true},
        {"::1", "::1", true},
        {"::1", "::2", false},
        {"::1", "0.0.0.0", false},
        {"fe80::1%lo", "fe80::1%lo", true},
        {"fe80::1%lo", "fe80::1", false},
        {"fd00::1%lo", "fd00::1", true},
        {"::7f00:1", "127.0.0.1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct address a = parsed(pairs[i].a);
        struct address b = parsed(pairs[i].b);

        address_set_port(&a, 1);
        assert_int_equal(address_equal(&a, &b), pairs[i].equal);
        assert_int_equal(address_equal(&b, &a), pairs[i].equal);
    }
}

/* Ports do not count, and each of the addresses is looked at. */
static void test_among(void **state)
{
    struct address list[] = {parsed("10.0.0.7"), parsed("::1"), parsed("10.0.0.9")};
    const struct address last = parsed("10.0.0.9"), other = parsed("10.0.0.8");

    (void)state;
    address_set_port(&list[2], 8266);
    assert_true(address_is_among(list, 3, &list[0]));
    assert_true(address_is_among(list, 3, &last));
    assert_false(address_is_among(list, 2, &last));
    assert_false(address_is_among(list, 3, &other));
    assert_false(address_is_among(NULL, 0, &other));
}

static void test_from_v4(void **state)
{
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_port = htons(2040)};
    struct address address;
    struct address expected = parsed("192.0.2.9");

    (void)state;
    source.sin_addr.s_addr = htonl(0xC0000209);
    memset(source.sin_zero, 0x5A, sizeof source.sin_zero);
    assert_true(address_from(&address, (struct sockaddr *)&source, sizeof source));
    assert_true(address_equal(&address, &expected));
    assert_int_equal(address_port(&address), 2040);
    assert_int_equal(address_length(&address), sizeof source);
    assert_false(address_from(&address, (struct sockaddr *)&source, sizeof source - 1));
    assert_false(address_from(&address, (struct sockaddr *)&source, sizeof source + 1));
    assert_false(address_from(&address, (struct sockaddr *)&source, 1));
    assert_false(address_from(&address, (struct sockaddr *)&source, 0));

    address = parsed("::1");
    assert_true(address_from_interface(&address, (struct sockaddr *)&source));
    assert_true(address_equal(&address, &expected));
}

static void test_from_v6(void **state)
{
    struct sockaddr_in6 source = {
        .sin6_family = AF_INET6, .sin6_port = htons(3232), .sin6_flowinfo = 7, .sin6_scope_id = 1};
    struct address address;
    struct address expected = parsed("fe80::2%lo");

    (void)state;
    inet_pton(AF_INET6, "fe80::2", &source.sin6_addr);
    assert_true(address_from(&address, (struct sockaddr *)&source, sizeof source));
    assert_true(address_equal(&address, &expected));
    assert_int_equal(address_port(&address), 3232);
    assert_int_equal(address_length(&address), sizeof source);
    assert_int_equal(address.v6.sin6_flowinfo, 0);
    assert_false(address_from(&address, (struct sockaddr *)&source, sizeof source - 1));

    /* The peer of an IPv4 connection to a listener on ::. */
    inet_pton(AF_INET6, "::ffff:10.0.0.7", &source.sin6_addr);
    expected = parsed("10.0.0.7");
    assert_true(address_from(&address, (struct sockaddr *)&source, sizeof source));
    assert_true(address_equal(&address, &expected));
    assert_int_equal(address_port(&address), 3232);
}

static void test_from_other_family(void **state)
{
    struct sockaddr_in source = {.sin_family = AF_UNIX};
    struct address address;

    (void)state;
    assert_false(address_from(&address, (struct sockaddr *)&source, sizeof source));
    assert_false(address_from_interface(&address, (struct sockaddr *)&source));
    assert_false(address_from_interface(&address, NULL));
    assert_false(address_of_socket(&address, -1));
}

/* The longest texts fit, also when the interface is gone and only its number is left. */
static void test_longest_text(void **state)
{
    struct address address = parsed("fe80:1111:2222:3333:4444:5555:6666:7777");
    char text[ADDRESS_TEXT_MAX + 8];

    (void)state;
    address.v6.sin6_scope_id = UINT32_MAX;
    address_set_port(&address, 65535);
    assert_string_equal(address_text(text, &address),
                        "fe80:1111:2222:3333:4444:5555:6666:7777%4294967295");
    assert_string_equal(address_text_port(text, &address),
                        "[fe80:1111:2222:3333:4444:5555:6666:7777%4294967295]:65535");
    assert_true(INET6_ADDRSTRLEN + IF_NAMESIZE <= ADDRESS_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_and_show), cmocka_unit_test(test_equal_addresses),
        cmocka_unit_test(test_among),          cmocka_unit_test(test_from_v4),
        cmocka_unit_test(test_from_v6),        cmocka_unit_test(test_from_other_family),
        cmocka_unit_test(test_longest_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
