/*
 * test-networks.c: the order of a board's addresses, and the remarks about the way to it. The
 * interfaces are made up.
 */
#include "discovery/networks.h"

#include "discovery/namesakes.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { INTERFACES_MAX = 6, ADDRESSES_MAX = 6 };

#define UP (IFF_UP | IFF_RUNNING)
#define TUNNEL (UP | IFF_POINTOPOINT)

/* The addresses are texts for address_parse(). Every namespace has an interface "lo". */
struct interface {
    const char *name, *address, *mask, *peer;
    unsigned flags;
};

static const struct interface wlan = {"wlan0", "192.168.1.20", "255.255.255.0", NULL, UP};
static const struct interface wlan_v6 = {"wlan0", "fd77::20", "ffff:ffff:ffff:ffff::", NULL, UP};
static const struct interface loopback_v6 = {"lo", "fe80::1%lo", "ffff:ffff:ffff:ffff::", NULL, UP};
static const struct interface ethernet = {"eth0", "10.1.0.5", "255.255.0.0", NULL, UP};
static const struct interface second = {"eth1", "192.168.1.21", "255.255.255.0", NULL, UP};
static const struct interface tunnel = {"tun0", "10.8.0.2", "255.255.255.0", NULL, TUNNEL};
static const struct interface twin = {"tun0", "192.168.1.99", "255.255.255.0", NULL, TUNNEL};
static const struct interface wide = {"tun0", "192.168.0.2", "255.255.0.0", NULL, TUNNEL};
static const struct interface peer = {"ppp0", "10.64.0.2", "255.255.255.255", "10.64.0.1", TUNNEL};
static const struct interface bridge = {"docker0", "172.17.0.1", "255.255.0.0", NULL, IFF_UP};
static const struct interface off = {"eth2", "172.18.0.1", "255.255.0.0", NULL, IFF_RUNNING};
static const struct interface all = {"tun1", "10.9.0.2", "0.0.0.0", NULL, TUNNEL};
static const struct interface packet = {"wlan0", NULL, NULL, NULL, UP};

/* Makes a list like that of getifaddrs(3), valid until the next call. */
static const struct ifaddrs *make_list(const struct interface *const *interfaces)
{
    static struct ifaddrs list[INTERFACES_MAX];
    static struct address addresses[INTERFACES_MAX][3];
    static char names[INTERFACES_MAX][IF_NAMESIZE];
    size_t count = 0;

    for (; interfaces[count]; count++) {
        const char *texts[] = {interfaces[count]->address, interfaces[count]->mask,
                               interfaces[count]->peer};
        struct sockaddr *sources[3] = {NULL};

        assert_in_range(count, 0, INTERFACES_MAX - 1);
        for (size_t i = 0; i < 3; i++) {
            if (!texts[i])
                continue;
            assert_true(address_parse(&addresses[count][i], texts[i]));
            sources[i] = &addresses[count][i].any;
        }
        snprintf(names[count], sizeof names[count], "%s", interfaces[count]->name);
        list[count] = (struct ifaddrs){.ifa_name = names[count],
                                       .ifa_flags = interfaces[count]->flags,
                                       .ifa_addr = sources[0],
                                       .ifa_netmask = sources[1],
                                       .ifa_dstaddr = sources[2]};
        if (count > 0)
            list[count - 1].ifa_next = &list[count];
    }
    return count > 0 ? list : NULL;
}

static void test_network_order(void **state)
{
    (void)state;
    static const struct {
        const struct interface *interfaces[INTERFACES_MAX];
        const char *before[ADDRESSES_MAX], *after[ADDRESSES_MAX];
    } rows[] = {
        {{NULL}, {NULL}, {NULL}},
        {{&wlan}, {"192.168.1.7"}, {"192.168.1.7"}},
        /* a board that is a station and an access point */
        {{&wlan, &wlan_v6}, {"192.168.4.1", "192.168.1.7"}, {"192.168.1.7", "192.168.4.1"}},
        {{&wlan, &wlan_v6},
         {"2001:db8::1", "fd77::7", "8.8.8.8", "192.168.1.7"},
         {"192.168.1.7", "fd77::7", "8.8.8.8", "2001:db8::1"}},
        /* equal ranks keep their order */
        {{&wlan},
         {"192.168.1.9", "192.168.1.7", "192.168.1.8"},
         {"192.168.1.9", "192.168.1.7", "192.168.1.8"}},
        {{&wlan, &wlan_v6}, {"fd77:0:0:1::7", "fd77::7"}, {"fd77::7", "fd77:0:0:1::7"}},
        /* link-local: on its own interface only */
        {{&wlan, &loopback_v6}, {"192.168.4.1", "fe80::7%lo"}, {"fe80::7%lo", "192.168.4.1"}},
        {{&wlan, &loopback_v6}, {"192.168.4.1", "fe80::7"}, {"192.168.4.1", "fe80::7"}},
        /* a tunnel leads to its far end only */
        {{&peer}, {"10.64.0.2", "10.64.0.1"}, {"10.64.0.1", "10.64.0.2"}},
        {{&peer}, {"fd77::7", "10.64.0.3"}, {"10.64.0.3", "fd77::7"}},
        /* unusable networks: no carrier, down, a prefix of 0, no address */
        {{&bridge, &off, &all, &packet, &wlan},
         {"172.17.0.7", "172.18.0.7", "10.9.0.7", "192.168.1.7"},
         {"192.168.1.7", "172.17.0.7", "172.18.0.7", "10.9.0.7"}},
        /* without a list of interfaces, IPv4 comes first */
        {{NULL}, {"fd77::7", "192.168.1.7"}, {"192.168.1.7", "fd77::7"}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address addresses[ADDRESSES_MAX];
        size_t count = 0;
        char text[ADDRESS_TEXT_MAX];

        for (; rows[i].before[count]; count++)
            assert_true(address_parse(&addresses[count], rows[i].before[count]));
        networks_sort(addresses, count, make_list(rows[i].interfaces));
        for (size_t k = 0; k < count; k++)
            assert_string_equal(address_text(text, &addresses[k]), rows[i].after[k]);
    }
}

#define ALTHOUGH(out, other)                                                                       \
    "packets to the board leave through " out ", although " other                                  \
    " is in the board's network: a VPN or another route takes them"
#define AS_NONE(out)                                                                               \
    "packets to the board leave through " out                                                      \
    ", as no interface of this computer is in the board's network"

#define NOT_IN " (-I) is not in the board's network, but wlan0 (192.168.1.20) is"

static const struct {
    const struct interface *interfaces[INTERFACES_MAX];
    const char *board, *local, *says;
} detours[] = {
    {{&wlan}, "192.168.1.7", "192.168.1.20", ""},
    {{&wlan, &tunnel}, "192.168.1.7", "192.168.1.20", ""},
    {{&wlan, &tunnel}, "10.8.0.7", "10.8.0.2", ""}, /* a board behind the tunnel */
    {{&wlan, &tunnel},
     "192.168.1.7",
     "10.8.0.2",
     ALTHOUGH("tun0 (10.8.0.2)", "wlan0 (192.168.1.20)")},
    {{&tunnel, &wlan_v6}, "fd77::7", "10.8.0.2", ALTHOUGH("tun0 (10.8.0.2)", "wlan0 (fd77::20)")},
    /* the VPN's network has the same addresses, or more */
    {{&twin, &wlan},
     "192.168.1.7",
     "192.168.1.99",
     ALTHOUGH("tun0 (192.168.1.99)", "wlan0 (192.168.1.20)")},
    {{&wide, &wlan},
     "192.168.1.7",
     "192.168.0.2",
     ALTHOUGH("tun0 (192.168.0.2)", "wlan0 (192.168.1.20)")},
    {{&wide, &wlan}, "192.168.1.7", "192.168.1.20", ""},
    {{&wide, &wlan}, "192.168.2.7", "192.168.0.2", ""},
    /* two cables into one network */
    {{&wlan, &second}, "192.168.1.7", "192.168.1.20", ""},
    {{&wlan, &second}, "192.168.1.7", "192.168.1.21", ""},
    /* no interface is in the board's network */
    {{&wlan, &ethernet}, "192.168.4.1", "10.1.0.5", AS_NONE("eth0 (10.1.0.5)")},
    {{&wlan, &tunnel}, "10.0.0.7", "10.8.0.2", AS_NONE("tun0 (10.8.0.2)")},
    {{&wlan}, "172.16.0.1", "192.168.1.20", AS_NONE("wlan0 (192.168.1.20)")},
    {{&wlan}, "172.31.255.1", "192.168.1.20", AS_NONE("wlan0 (192.168.1.20)")},
    {{&wlan}, "169.254.1.1", "192.168.1.20", AS_NONE("wlan0 (192.168.1.20)")},
    {{&wlan}, "100.127.0.1", "192.168.1.20", AS_NONE("wlan0 (192.168.1.20)")},
    {{&wlan_v6}, "fd78::1", "fd77::20", AS_NONE("wlan0 (fd77::20)")},
    {{&wlan, &bridge}, "172.17.0.7", "192.168.1.20", AS_NONE("wlan0 (192.168.1.20)")},
    /* public addresses are left to the routers */
    {{&wlan}, "172.32.0.1", "192.168.1.20", ""},
    {{&wlan}, "100.128.0.1", "192.168.1.20", ""},
    {{&wlan}, "8.8.8.8", "192.168.1.20", ""},
    {{&wlan_v6}, "2001:db8::1", "fd77::20", ""},
    /* the interface has gone, or the list of interfaces is unknown */
    {{&wlan}, "10.0.0.7", "10.0.0.1", ""},
    {{NULL}, "10.0.0.7", "10.0.0.1", ""},
};

static void test_detour(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(detours); i++) {
        char text[NETWORKS_DETOUR_MAX];
        struct address board, local;

        assert_true(address_parse(&board, detours[i].board));
        assert_true(address_parse(&local, detours[i].local));
        const struct ifaddrs *interfaces = make_list(detours[i].interfaces);
        const char *owner = networks_find_owner(&local, interfaces);
        const struct networks_way way = {.board = &board,
                                         .outgoing = owner ? owner : "gone0",
                                         .local = &local,
                                         .source = &source_any};
        enum ota_cause cause = networks_describe_detour(text, &way, interfaces);
        assert_string_equal(text, detours[i].says);
        assert_int_equal(cause, strstr(text, "although") ? OTA_CAUSE_DETOUR
                                : *text                  ? OTA_CAUSE_OTHER_NETWORK
                                                         : OTA_CAUSE_NONE);
    }
}

/* The board is at 192.168.1.7 and was heard on tun0 or not at all. The source address may be
 * another interface's, as -I and routes may have it. */
static void test_source(void **state)
{
    (void)state;
    static const struct interface link_down = {"wlan0", "192.168.1.20", "255.255.255.0", NULL, 0};
    static const struct interface alias = {"wlan0", "10.5.0.2", "255.255.255.0", NULL, UP};
    static const struct {
        const struct interface *interfaces[INTERFACES_MAX];
        const char *given, *outgoing, *local; /* given: the argument of -I; NULL: none */
        bool is_heard;
        enum ota_cause cause;
        const char *says;
    } rows[] = {
        {{&wlan, &tunnel},
         NULL,
         "tun0",
         "192.168.1.20",
         false,
         OTA_CAUSE_DETOUR,
         ALTHOUGH("tun0 (192.168.1.20)", "wlan0 (192.168.1.20)")},
        {{&wlan, &tunnel}, NULL, "wlan0", "10.8.0.2", false, OTA_CAUSE_NONE, ""},
        /* an address of -I does not decide the route */
        {{&wlan, &tunnel},
         "192.168.1.20",
         "tun0",
         "192.168.1.20",
         false,
         OTA_CAUSE_DETOUR,
         ALTHOUGH("tun0 (192.168.1.20)", "wlan0 (192.168.1.20)")},
        /* the board is behind the tunnel */
        {{&wlan, &tunnel}, NULL, "tun0", "10.8.0.2", true, OTA_CAUSE_NONE, ""},
        {{&wlan, &tunnel}, "tun0", "tun0", "10.8.0.2", false, OTA_CAUSE_NONE, ""},
        {{&wlan, &tunnel},
         "10.8.0.2",
         "tun0",
         "10.8.0.2",
         false,
         OTA_CAUSE_DETOUR,
         ALTHOUGH("tun0 (10.8.0.2)", "wlan0 (192.168.1.20)")},
        /* -I is not in the board's network */
        {{&wlan, &ethernet},
         "eth0",
         "eth0",
         "10.1.0.5",
         false,
         OTA_CAUSE_WRONG_SOURCE,
         "eth0" NOT_IN},
        {{&ethernet, &wlan},
         "10.1.0.5",
         "wlan0",
         "10.1.0.5",
         false,
         OTA_CAUSE_WRONG_SOURCE,
         "10.1.0.5" NOT_IN},
        {{&wlan, &tunnel},
         "10.8.0.2",
         "wlan0",
         "10.8.0.2",
         false,
         OTA_CAUSE_WRONG_SOURCE,
         "10.8.0.2" NOT_IN},
        {{&alias, &wlan},
         "10.5.0.2",
         "wlan0",
         "10.5.0.2",
         false,
         OTA_CAUSE_WRONG_SOURCE,
         "10.5.0.2" NOT_IN},
        {{&alias, &wlan}, "wlan0", "wlan0", "192.168.1.20", false, OTA_CAUSE_NONE, ""},
        {{&wlan, &bridge}, "eth0", "tun0", "10.1.0.5", true, OTA_CAUSE_NONE, ""},
        /* it is, and so is another one */
        {{&wlan, &second}, "192.168.1.21", "wlan0", "192.168.1.21", false, OTA_CAUSE_NONE, ""},
        {{&wlan, &second}, "eth1", "eth1", "192.168.1.21", false, OTA_CAUSE_NONE, ""},
        {{&wide, &wlan}, "tun0", "tun0", "192.168.0.2", false, OTA_CAUSE_NONE, ""},
        {{&link_down, &second}, "wlan0", "wlan0", "192.168.1.20", false, OTA_CAUSE_NONE, ""},
        /* nobody is */
        {{&ethernet, &tunnel}, "eth0", "eth0", "10.1.0.5", false, OTA_CAUSE_NONE, ""},
        {{&ethernet, &tunnel},
         "10.1.0.5",
         "eth0",
         "10.1.0.5",
         false,
         OTA_CAUSE_OTHER_NETWORK,
         AS_NONE("eth0 (10.1.0.5)")},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[NETWORKS_DETOUR_MAX];
        struct address board, local;
        struct source source = {.has_address = false};
        struct claims heard = {.count = rows[i].is_heard, .items = {{.interface = "tun0"}}};
        const struct networks_way way = {.board = &board,
                                         .outgoing = rows[i].outgoing,
                                         .local = &local,
                                         .source = &source,
                                         .heard = &heard};

        assert_true(address_parse(&board, "192.168.1.7"));
        assert_true(address_parse(&local, rows[i].local));
        heard.items[0].address = board;
        if (rows[i].given) {
            source.has_address = address_parse(&source.address, rows[i].given);
            if (!source.has_address)
                snprintf(source.interface, sizeof source.interface, "%s", rows[i].given);
        }
        enum ota_cause cause = networks_describe_detour(text, &way, make_list(rows[i].interfaces));
        assert_string_equal(text, rows[i].says);
        assert_int_equal(cause, rows[i].cause);
    }
}

/* The board's address gives no hint, but the interface of its announcement does. */
static void test_heard(void **state)
{
    (void)state;
    static const struct {
        const char *interfaces[2]; /* 172.16.0.7 was heard on these */
        const char *other;         /* another address was heard on this one */
        const char *says;
    } rows[] = {
        {{NULL}, NULL, AS_NONE("eth0 (10.1.0.5)")},
        {{"wlan0"},
         NULL,
         "packets to the board leave through eth0 (10.1.0.5), although it announces itself on "
         "wlan0: "
         "a VPN or another route takes them"},
        {{"eth0"}, NULL, AS_NONE("eth0 (10.1.0.5)")},
        {{"wlan0", "eth0"}, NULL, AS_NONE("eth0 (10.1.0.5)")},
        {{""}, NULL, AS_NONE("eth0 (10.1.0.5)")},
        {{NULL}, "wlan0", AS_NONE("eth0 (10.1.0.5)")},
    };
    const struct interface *interfaces[INTERFACES_MAX] = {&ethernet, &wlan};

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[NETWORKS_DETOUR_MAX];
        struct address board, local, other;
        struct claims heard = {0};
        const struct networks_way way = {.board = &board,
                                         .outgoing = "eth0",
                                         .local = &local,
                                         .source = &source_any,
                                         .heard = &heard};

        assert_true(address_parse(&board, "172.16.0.7"));
        assert_true(address_parse(&local, "10.1.0.5"));
        assert_true(address_parse(&other, "172.16.0.8"));
        for (size_t k = 0; k < 2 && rows[i].interfaces[k]; k++) {
            heard.items[heard.count].address = board;
            snprintf(heard.items[heard.count++].interface, IF_NAMESIZE, "%s",
                     rows[i].interfaces[k]);
        }
        if (rows[i].other) {
            heard.items[heard.count].address = other;
            snprintf(heard.items[heard.count++].interface, IF_NAMESIZE, "%s", rows[i].other);
        }
        assert_int_equal(networks_describe_detour(text, &way, make_list(interfaces)),
                         strstr(rows[i].says, "announces") ? OTA_CAUSE_DETOUR
                                                           : OTA_CAUSE_OTHER_NETWORK);
        assert_string_equal(text, rows[i].says);
    }
}

static void test_elsewhere(void **state)
{
    (void)state;
    static const struct {
        const char *board, *local;
        bool is_elsewhere;
    } rows[] = {
        {"192.168.1.7", "192.168.1.20", false}, {"192.168.4.1", "192.168.1.20", true},
        {"192.168.4.1", "172.17.0.2", true},    {"8.8.8.8", "192.168.1.20", false},
        {"192.168.4.1", "8.8.8.8", false}, /* the board can reach this address */
        {"127.0.0.7", "127.0.0.1", false},
    };
    const struct interface *interfaces[INTERFACES_MAX] = {&wlan};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address board, local;

        assert_true(address_parse(&board, rows[i].board));
        assert_true(address_parse(&local, rows[i].local));
        assert_int_equal(networks_find_owner(&local, make_list(interfaces)) != NULL,
                         strcmp(rows[i].local, "192.168.1.20") == 0);
        assert_int_equal(networks_is_elsewhere(&board, &local, make_list(interfaces)),
                         rows[i].is_elsewhere);
    }
}

static void test_existence(void **state)
{
    (void)state;
    static const struct interface down = {"wlan0", "192.168.1.20", "255.255.255.0", NULL, 0};
    static const struct interface lo = {"lo", "127.0.0.1", "255.0.0.0", NULL, UP | IFF_LOOPBACK};
    static const struct {
        const struct interface *interfaces[INTERFACES_MAX];
        bool exist;
    } rows[] = {
        {{NULL}, false},         {{&lo}, false},       {{&lo, &down, &off, &bridge}, false},
        {{&lo, &packet}, false}, {{&lo, &wlan}, true}, {{&lo, &down, &wlan_v6}, true},
        {{&lo, &tunnel}, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(networks_exist(make_list(rows[i].interfaces)), rows[i].exist);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network_order), cmocka_unit_test(test_detour),
        cmocka_unit_test(test_source),        cmocka_unit_test(test_heard),
        cmocka_unit_test(test_elsewhere),     cmocka_unit_test(test_existence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
