/*
 * test-namesakes.c: addresses of one name that must belong to different boards. The interfaces are
 * made up: lan0 with 10.0.0.0/24 and fd00::/64, lan1 with 10.1.0.0/24.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discovery/namesakes.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

int __wrap_getifaddrs(struct ifaddrs **interfaces);
void __wrap_freeifaddrs(struct ifaddrs *interfaces);

static size_t lists; /* from getifaddrs() and not freed yet */
static int failure;  /* errno of getifaddrs(); 0: none */

int __wrap_getifaddrs(struct ifaddrs **interfaces)
{
    static char texts[][3][24] = {{"lan0", "10.0.0.1", "255.255.255.0"},
                                  {"lan0", "fd00::1", "ffff:ffff:ffff:ffff::"},
                                  {"lan1", "10.1.0.1", "255.255.255.0"}};

    if (failure) {
        errno = failure;
        return -1;
    }

    enum { COUNT = sizeof texts / sizeof *texts };
    static struct ifaddrs list[COUNT];
    static struct address addresses[COUNT], masks[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(address_parse(&addresses[i], texts[i][1]));
        assert_true(address_parse(&masks[i], texts[i][2]));
        list[i] = (struct ifaddrs){.ifa_name = texts[i][0],
                                   .ifa_flags = IFF_UP | IFF_RUNNING,
                                   .ifa_addr = &addresses[i].any,
                                   .ifa_netmask = &masks[i].any,
                                   .ifa_next = i + 1 < COUNT ? &list[i + 1] : NULL};
    }
    *interfaces = list;
    lists++;
    return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *interfaces)
{
    assert_non_null(interfaces);
    lists--;
}

static const struct {
    const char *title;
    const char *claims[4]; /* ADDRESS/INTERFACE */
    const char *rivals;
} rival_rows[] = {
    {"one board", {"10.0.0.7/lan0"}, ""},
    {"one board by IPv4 and IPv6", {"10.0.0.7/lan0", "fd00::7/lan0"}, ""},
    {"one board on two interfaces", {"10.0.0.7/lan0", "10.0.0.7/lan1"}, ""},
    {"its access point", {"10.0.0.7/lan0", "192.168.4.1/lan0"}, ""},
    {"a network of another interface", {"10.0.0.7/lan0", "10.1.0.7/lan0"}, ""},
    {"two IPv6 networks", {"fd00::7/lan0", "fd01::7/lan0"}, ""},
    {"unknown interfaces", {"10.0.0.7/", "10.0.0.8/"}, ""},
    {"two boards", {"10.0.0.7/lan0", "10.0.0.8/lan0"}, "10.0.0.7 10.0.0.8"},
    {"two boards by IPv6", {"fd00::7/lan0", "fd00::8/lan0"}, "fd00::7 fd00::8"},
    {"two boards in two networks", {"10.0.0.7/lan0", "10.1.0.7/lan1"}, "10.0.0.7 10.1.0.7"},
    {"heard through another network, too",
     {"10.0.0.7/lan1", "10.0.0.8/lan1", "10.0.0.7/lan0", "10.0.0.8/lan0"},
     "10.0.0.7 10.0.0.8"},
    {"and something else",
     {"10.0.0.7/lan0", "192.168.4.1/lan0", "10.0.0.8/lan0", "fd00::7/lan0"},
     "10.0.0.7 10.0.0.8"},
};

static void test_rivals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rival_rows / sizeof *rival_rows; i++) {
        struct claims claims = {0};
        struct address rivals[CLAIMS_MAX];
        char found[256] = "";

        print_message("  %s\n", rival_rows[i].title);
        for (size_t j = 0; j < 4 && rival_rows[i].claims[j]; j++) {
            struct mdns_answer answer = {.has_address = true};
            char text[64];

            snprintf(text, sizeof text, "%s", rival_rows[i].claims[j]);
            char *slash = strchr(text, '/');
            *slash = '\0';
            assert_true(address_parse(&answer.address, text));
            snprintf(answer.interface, sizeof answer.interface, "%s", slash + 1);
            claims_add(&claims, &answer);
            assert_true(claims_contain(&claims, &answer.address));
        }

        ssize_t count = claims_find_rivals(rivals, &claims);
        for (ssize_t j = 0; j < count; j++) {
            char shown[ADDRESS_TEXT_MAX];
            size_t used = strlen(found);
            snprintf(found + used, sizeof found - used, "%s%s", j ? " " : "",
                     address_text(shown, &rivals[j]));
        }

        assert_string_equal(found, rival_rows[i].rivals);
        assert_int_equal(lists, 0);
    }
}

static void test_no_more_than_there_is_room_for(void **state)
{
    struct claims claims = {0};
    struct address rivals[CLAIMS_MAX];

    (void)state;
    claims_add(&claims, &(struct mdns_answer){.has_address = false});
    assert_int_equal(claims.count, 0);
    assert_false(claims.is_cut);
    for (int i = 1; i < 100; i++) {
        struct mdns_answer answer = {.has_address = true, .interface = "lan0"};
        char text[32];

        snprintf(text, sizeof text, "10.0.0.%d", i);
        assert_true(address_parse(&answer.address, text));
        claims_add(&claims, &answer);
        claims_add(&claims, &answer);
        assert_int_equal(claims.is_cut, i > CLAIMS_MAX);
    }
    assert_int_equal(claims_find_rivals(rivals, &claims), CLAIMS_MAX);

    failure = EMFILE;
    assert_int_equal(claims_find_rivals(rivals, &claims), -1);
    assert_int_equal(errno, EMFILE);
    failure = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rivals),
        cmocka_unit_test(test_no_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
