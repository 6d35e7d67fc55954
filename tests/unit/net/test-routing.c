/*
 * test-routing.c: the kernel's answers: made up, whole and cut anywhere, and real ones about the
 * loopback interface. tests/net/test_neighbors.py asks about boards.
 */
#include "net/routing.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

union answer {
    struct nlmsghdr header;
    char bytes[256];
};

static bool is_kernel_silent;
static unsigned questions;

ssize_t __real_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags)
{
    questions++;
    return is_kernel_silent ? (ssize_t)size : __real_send(fd, data, size, flags);
}

/* To wait would stop the loop, and all boards with it. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    (void)fds;
    (void)count;
    (void)timeout_ms;
    fail_msg("waits for the kernel");
    return -1;
}

static void start_routing(union answer *answer, uint16_t type, const void *fixed, size_t size)
{
    *answer =
        (union answer){.header = {.nlmsg_type = type, .nlmsg_len = (uint32_t)NLMSG_LENGTH(size)}};
    memcpy(NLMSG_DATA(&answer->header), fixed, size);
}

static void add_route(union answer *answer, uint16_t type, const void *value, size_t size)
{
    size_t at = NLMSG_ALIGN(answer->header.nlmsg_len);
    const struct rtattr attribute = {.rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(size)};

    memcpy(answer->bytes + at, &attribute, sizeof attribute);
    memcpy(answer->bytes + at + sizeof attribute, value, size);
    answer->header.nlmsg_len = (uint32_t)(at + RTA_ALIGN(attribute.rta_len));
}

/* The copy ends where the answer ends, so that sanitizers notice reads beyond it. */
static void *copy_answer(const union answer *answer, size_t length)
{
    void *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, answer, length);
    return copy;
}

static bool read_route(struct routing_route *route, const union answer *answer, size_t length)
{
    void *copy = copy_answer(answer, length);
    bool is_read = routing_read_route(route, copy, length);

    free(copy);
    return is_read;
}

static bool read_neighbor(struct routing *routing, const union answer *answer, size_t length)
{
    void *copy = copy_answer(answer, length);
    bool is_read = routing_read_neighbor(routing, copy, length);

    free(copy);
    return is_read;
}

static bool read_link(struct routing_link *link, const union answer *answer, size_t length)
{
    void *copy = copy_answer(answer, length);
    bool is_read = routing_read_link(link, copy, length);

    free(copy);
    return is_read;
}

/* The carrier is known before the flag, and is not told by old kernels. */
static void test_link(void **state)
{
    (void)state;
    static const struct {
        unsigned flags;
        int carrier; /* negative: not told */
        bool is_down;
    } rows[] = {
        {IFF_UP | IFF_RUNNING, 1, false},
        {IFF_UP | IFF_RUNNING, -1, false},
        {IFF_UP | IFF_RUNNING, 0, true},
        {IFF_UP, 0, true},
        {IFF_UP, 1, true}, /* Wi-Fi that is not authorized yet */
        {IFF_UP, -1, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ifinfomsg message = {.ifi_index = 7, .ifi_flags = rows[i].flags};
        const uint8_t carrier = rows[i].carrier > 0;
        const uint32_t changes = 5;
        struct routing_link link = {.interface = 0};
        union answer answer;

        start_routing(&answer, RTM_NEWLINK, &message, sizeof message);
        if (rows[i].carrier >= 0)
            add_route(&answer, IFLA_CARRIER, &carrier, sizeof carrier);
        add_route(&answer, IFLA_CARRIER_CHANGES, &changes, sizeof changes);
        assert_true(read_link(&link, &answer, answer.header.nlmsg_len));
        assert_int_equal(link.interface, 7);
        assert_int_equal(link.is_down, rows[i].is_down);
        assert_int_equal(link.changes, 5);
        for (size_t cut = 0; cut < answer.header.nlmsg_len; cut++)
            assert_false(read_link(&link, &answer, cut));
    }
}

static void test_link_failed(void **state)
{
    (void)state;
    static const struct {
        struct routing_link before, now;
        bool has_failed;
    } rows[] = {
        {{.interface = 7, .changes = 5}, {.interface = 7, .changes = 5}, false},
        {{.interface = 7, .changes = 5}, {.interface = 7, .changes = 7}, true},
        {{.interface = 7, .changes = 5}, {.interface = 7, .changes = 5, .is_down = true}, true},
        {{.interface = 7, .changes = 5}, {.interface = 3, .changes = 5}, true},
        {{.interface = 7, .changes = 5}, {.interface = 0}, true},
        {{.interface = 0}, {.interface = 0}, false},
        {{.interface = 0}, {.interface = 7, .changes = 5}, false},
        {{.interface = 0}, {.interface = 7, .is_down = true}, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(routing_link_has_failed(&rows[i].before, &rows[i].now),
                         rows[i].has_failed);
}

static void test_route(void **state)
{
    (void)state;
    static const struct {
        unsigned char type;
        uint16_t gateway; /* an attribute; 0: none */
        bool is_read, is_direct;
    } rows[] = {
        {RTN_UNICAST, 0, true, true},        {RTN_UNICAST, RTA_GATEWAY, true, false},
        {RTN_UNICAST, RTA_VIA, true, false}, {RTN_LOCAL, 0, false, false},
        {RTN_BROADCAST, 0, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct rtmsg message = {.rtm_type = rows[i].type};
        const uint32_t interface = 7, gateway = 1;
        struct routing_route route = {0};
        union answer answer;

        start_routing(&answer, RTM_NEWROUTE, &message, sizeof message);
        if (rows[i].gateway)
            add_route(&answer, rows[i].gateway, &gateway, sizeof gateway);
        add_route(&answer, RTA_OIF, &interface, sizeof interface);
        assert_int_equal(read_route(&route, &answer, answer.header.nlmsg_len), rows[i].is_read);
        assert_int_equal(route.interface, rows[i].is_read ? 7 : 0);
        assert_int_equal(route.is_direct, rows[i].is_direct);
        for (size_t cut = 0; cut < answer.header.nlmsg_len; cut++)
            assert_false(read_route(&route, &answer, cut));
    }
}

static void test_neighbor(void **state)
{
    (void)state;
    static const struct {
        uint16_t state;
        uint32_t confirmed; /* hundredths of a second ago */
        enum neighbor expected;
    } rows[] = {
        {NUD_INCOMPLETE, 0, NEIGHBOR_NOBODY},  {NUD_FAILED, 999999, NEIGHBOR_NOBODY},
        {NUD_REACHABLE, 0, NEIGHBOR_THERE},    {NUD_STALE, 1099, NEIGHBOR_THERE},
        {NUD_STALE, 1100, NEIGHBOR_WAS_THERE}, {NUD_STALE, 6099, NEIGHBOR_WAS_THERE},
        {NUD_DELAY, 200, NEIGHBOR_THERE},      {NUD_PROBE, 200, NEIGHBOR_THERE},
        {NUD_STALE, 6100, NEIGHBOR_UNKNOWN}, /* it may have gone meanwhile */
        {NUD_PERMANENT, 0, NEIGHBOR_UNKNOWN},  {NUD_NOARP, 0, NEIGHBOR_UNKNOWN},
        {NUD_NONE, 0, NEIGHBOR_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ndmsg message = {.ndm_state = rows[i].state};
        const struct nda_cacheinfo times = {.ndm_confirmed = rows[i].confirmed};
        struct routing routing = {.neighbor = (enum neighbor)99};
        union answer answer;

        start_routing(&answer, RTM_NEWNEIGH, &message, sizeof message);
        add_route(&answer, NDA_LLADDR, "\1\2\3\4\5\6", 6);
        add_route(&answer, NDA_CACHEINFO, &times, sizeof times);
        assert_true(read_neighbor(&routing, &answer, answer.header.nlmsg_len));
        assert_int_equal(routing.neighbor, rows[i].expected);
        if (routing.neighbor >= NEIGHBOR_THERE)
            assert_int_equal(routing.seen_s, rows[i].confirmed / 100);
        for (size_t cut = 0; cut < answer.header.nlmsg_len; cut++)
            assert_false(read_neighbor(&routing, &answer, cut));
    }
}

/* Wrong lengths cause neither a read beyond the end nor an endless loop. */
static void test_lies(void **state)
{
    (void)state;
    for (unsigned length = 0; length < 70; length++) {
        const struct rtmsg message = {.rtm_type = RTN_UNICAST};
        const uint32_t interface = 7;
        struct routing_route route;
        struct rtattr lie = {.rta_type = RTA_PRIORITY, .rta_len = (uint16_t)length};
        const bool is_true = length == RTA_LENGTH(sizeof interface);
        union answer answer;

        start_routing(&answer, RTM_NEWROUTE, &message, sizeof message);
        add_route(&answer, RTA_PRIORITY, &interface, sizeof interface);
        memcpy(answer.bytes + NLMSG_LENGTH(sizeof message), &lie, sizeof lie);
        assert_false(read_route(&route, &answer, answer.header.nlmsg_len));
        lie.rta_type = RTA_OIF;
        memcpy(answer.bytes + NLMSG_LENGTH(sizeof message), &lie, sizeof lie);
        assert_int_equal(read_route(&route, &answer, answer.header.nlmsg_len), is_true);
        answer.header.nlmsg_len = length < NLMSG_HDRLEN ? length : 10000 + length;
        assert_false(read_route(&route, &answer, sizeof answer));
    }
}

/* An error is neither a route nor a neighbor. */
static void test_refused_routes(void **state)
{
    (void)state;
    const struct nlmsgerr error = {.error = -2};
    struct routing_route route;
    struct routing_link link;
    struct routing routing;
    union answer answer;

    start_routing(&answer, NLMSG_ERROR, &error, sizeof error);
    assert_false(read_route(&route, &answer, answer.header.nlmsg_len));
    assert_false(read_neighbor(&routing, &answer, answer.header.nlmsg_len));
    assert_false(read_link(&link, &answer, answer.header.nlmsg_len));
}

static void test_this_computer(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.7", "::1", "fe80::7%lo"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        struct address address;
        struct routing routing;

        assert_true(address_parse(&address, texts[i]));
        routing_find(&routing, &address, &source_any);
        assert_int_equal(routing.neighbor, NEIGHBOR_UNKNOWN);
    }
}

static void test_silent_kernel(void **state)
{
    (void)state;
    struct address address;
    struct routing routing = {.interface = "wlan0", .neighbor = NEIGHBOR_THERE};

    assert_true(address_parse(&address, "127.0.0.7"));
    is_kernel_silent = true;
    routing_find(&routing, &address, &source_any);
    is_kernel_silent = false;
    assert_string_equal(routing.interface, "");
    assert_int_equal(routing.neighbor, NEIGHBOR_UNKNOWN);
}

/* The routes of the other interfaces say nothing about it. */
static void test_interface_is_gone(void **state)
{
    const struct source gone = {.interface = "no-such"};
    struct address address;
    struct routing routing;
    struct routing_link link;
    (void)state;

    assert_true(address_parse(&address, "192.0.2.7"));
    questions = 0;
    routing_find(&routing, &address, &gone);
    routing_find_link(&link, &address, &gone);
    assert_int_equal(questions, 0);
    assert_int_equal(routing.neighbor, NEIGHBOR_UNKNOWN);
    assert_int_equal(link.interface, 0);
}

static void test_describe(void **state)
{
    static const struct {
        enum neighbor neighbor;
        const char *text;
    } rows[] = {
        {NEIGHBOR_UNKNOWN, ""},
        {NEIGHBOR_NOBODY, "nobody on wlan0 answers ARP for 192.0.2.7"},
        {NEIGHBOR_THERE, "192.0.2.7 is there, as it answered ARP on wlan0 9 s ago"},
        {NEIGHBOR_WAS_THERE, "192.0.2.7 was there 9 s ago, when it answered ARP on wlan0"},
    };
    struct address address;
    char text[ROUTING_TEXT_MAX];
    (void)state;

    assert_true(address_parse(&address, "192.0.2.7"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct routing routing = {
            .interface = "wlan0", .neighbor = rows[i].neighbor, .seen_s = 9};

        assert_string_equal(routing_describe(text, &address, &routing), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_route),
        cmocka_unit_test(test_neighbor),
        cmocka_unit_test(test_link),
        cmocka_unit_test(test_link_failed),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_refused_routes),
        cmocka_unit_test(test_interface_is_gone),
        cmocka_unit_test(test_this_computer),
        cmocka_unit_test(test_silent_kernel),
        cmocka_unit_test(test_describe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
