/*
 * test-plain_query.c: the query for boards that answer one form only: its bytes, the interfaces it
 * leaves through, and failures. The interfaces are made up, and nothing is sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"
#include "discovery/plain_query.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int __wrap_getifaddrs(struct ifaddrs **interfaces);
void __wrap_freeifaddrs(struct ifaddrs *interfaces);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length);
ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *peer,
                      socklen_t length);

#define USUAL (IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST)

/* What the boards compare a query with: an ID, flags, four counts; a name of three labels; PTR,
 * IN. */
static const unsigned char expected[] = {
    0,   0,   0, 0,   0,   1,   0,   0, 0,   0,   0,   0,   8,   '_', 'a', 'r', 'd', 'u', 'i',
    'n', 'o', 4, '_', 't', 'c', 'p', 5, 'l', 'o', 'c', 'a', 'l', 0,   0,   12,  0,   1};

enum { INTERFACES_MAX = 5, STEPS = 5 };

struct interface {
    const char *address; /* NULL: none, like that of a tunnel */
    unsigned flags;
};

/* Of the socket that is being prepared. */
struct preparation {
    bool may_share_port, is_bound;
    int ttl;
    struct in_addr interface;
};

static struct {
    const struct interface *interfaces;
    bool has_no_list;
    size_t lists; /* from getifaddrs() and not freed yet */
    unsigned steps, failing_step;
    struct preparation preparation;
    char sent_from[128]; /* each address and a blank */
} network;

int __wrap_getifaddrs(struct ifaddrs **interfaces)
{
    static struct ifaddrs list[INTERFACES_MAX];
    static struct address addresses[INTERFACES_MAX];

    if (network.has_no_list)
        return -1;
    network.lists++;

    for (size_t i = 0; i < INTERFACES_MAX; i++) {
        const char *address = network.interfaces[i].address;

        assert_true(!address || address_parse(&addresses[i], address));
        list[i] = (struct ifaddrs){.ifa_flags = network.interfaces[i].flags,
                                   .ifa_addr = address ? &addresses[i].any : NULL,
                                   .ifa_next = i + 1 < INTERFACES_MAX ? &list[i + 1] : NULL};
    }
    *interfaces = list;
    return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *interfaces)
{
    assert_non_null(interfaces);
    network.lists--;
}

/* The step that fails is the last one with its socket. */
static bool passes(void)
{
    if (++network.steps != network.failing_step)
        return true;
    network.preparation = (struct preparation){0};
    errno = EPERM;
    return false;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    struct preparation *preparation = &network.preparation;

    assert_true(fd >= 0);
    if (!passes())
        return -1;

    if (level == SOL_SOCKET && name == SO_REUSEADDR && length == sizeof(int)) {
        preparation->may_share_port = *(const int *)value == 1;
    } else if (level == IPPROTO_IP && name == IP_MULTICAST_TTL && length == sizeof(int)) {
        preparation->ttl = *(const int *)value;
    } else {
        assert_int_equal(level, IPPROTO_IP);
        assert_int_equal(name, IP_MULTICAST_IF);
        assert_int_equal(length, sizeof preparation->interface);
        memcpy(&preparation->interface, value, length);
    }
    return 0;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_in here;

    assert_true(fd >= 0);
    if (!passes())
        return -1;

    assert_int_equal(length, sizeof here);
    memcpy(&here, address, length);
    assert_int_equal(here.sin_family, AF_INET);
    assert_int_equal(here.sin_addr.s_addr, htonl(INADDR_ANY));
    assert_int_equal(ntohs(here.sin_port), 5353);
    /* Without this, a responder on this computer has the port. */
    assert_true(network.preparation.may_share_port);
    network.preparation.is_bound = true;
    return 0;
}

static void check_group(const struct sockaddr *peer, socklen_t length)
{
    struct address group;
    char text[ADDRESS_TEXT_MAX];

    assert_int_equal(length, sizeof group.v4);
    memcpy(&group.v4, peer, length);
    assert_string_equal(address_text(text, &group), "224.0.0.251");
    assert_int_equal(address_port(&group), 5353);
}

static void note_sender(const struct in_addr *interface)
{
    struct address sender = {.v4 = {.sin_family = AF_INET, .sin_addr = *interface}};
    char text[ADDRESS_TEXT_MAX];
    size_t used = strlen(network.sent_from);

    snprintf(network.sent_from + used, sizeof network.sent_from - used, "%s ",
             address_text(text, &sender));
}

ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *peer,
                      socklen_t length)
{
    int type = 0;
    socklen_t type_length = sizeof type;

    if (!passes())
        return -1;

    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length), 0);
    assert_int_equal(type, SOCK_DGRAM);
    assert_true(fcntl(fd, F_GETFL, NULL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD, NULL) & FD_CLOEXEC);
    assert_true(network.preparation.is_bound);
    assert_int_equal(network.preparation.ttl, 255);
    assert_int_equal(flags, 0);
    check_group(peer, length);

    assert_int_equal(size, sizeof expected);
    assert_memory_equal(data, expected, sizeof expected);
    note_sender(&network.preparation.interface);
    network.preparation = (struct preparation){0};
    return (ssize_t)size;
}

static const struct interface two[INTERFACES_MAX] = {
    {"127.0.0.1", IFF_UP | IFF_LOOPBACK}, {"10.0.0.2", USUAL}, {"10.1.0.2", USUAL}};

static void set_up_network(const struct interface *interfaces)
{
    memset(&network, 0, sizeof network);
    network.interfaces = interfaces;
}

/* Sends, and requires that nothing stays open or allocated. */
static void send_to_all(void)
{
    int open_before = failing_count_open();

    plain_query_send(SERVICE_ARDUINO);
    assert_int_equal(failing_count_open(), open_before);
    assert_int_equal(network.lists, 0);
}

static void test_size(void **state)
{
    (void)state;
    assert_int_equal(sizeof expected, 37);
}

static void test_interfaces(void **state)
{
    (void)state;
    static const struct {
        struct interface interfaces[INTERFACES_MAX];
        const char *sent_from;
    } rows[] = {
        {{{NULL, 0}}, ""},
        {{{"10.0.0.2", USUAL}}, "10.0.0.2 "},
        {{{NULL, USUAL}, {"10.0.0.2", USUAL}}, "10.0.0.2 "},
        {{{"fd00::2", USUAL}, {"10.0.0.2", USUAL}}, "10.0.0.2 "},
        {{{"10.0.0.2", USUAL}, {"10.1.0.2", USUAL}}, "10.0.0.2 10.1.0.2 "},
        {{{"127.0.0.1", USUAL | IFF_LOOPBACK}}, ""},
        {{{"10.0.0.2", USUAL & ~(unsigned)IFF_UP}}, ""},
        {{{"10.0.0.2", USUAL & ~(unsigned)IFF_MULTICAST}}, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_up_network(rows[i].interfaces);
        send_to_all();
        assert_string_equal(network.sent_from, rows[i].sent_from);
    }
}

/* A failure concerns its interface only. */
static void test_failing_step(void **state)
{
    (void)state;
    set_up_network(two);
    send_to_all();
    assert_int_equal(network.steps, 2 * STEPS);

    for (unsigned step = 1; step <= STEPS; step++) {
        set_up_network(two);
        network.failing_step = step;
        send_to_all();
        assert_string_equal(network.sent_from, "10.1.0.2 ");
        assert_int_equal(network.steps, step + STEPS);
    }
}

static void test_no_socket(void **state)
{
    (void)state;
    set_up_network(two);
    failing_start(FAILING_SOCKET, 0, EMFILE);
    send_to_all();
    assert_true(failing_stop());
    assert_string_equal(network.sent_from, "10.1.0.2 ");
}

static void test_no_interfaces_known(void **state)
{
    (void)state;
    set_up_network(two);
    network.has_no_list = true;
    send_to_all();
    assert_int_equal(network.steps, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_interfaces),
        cmocka_unit_test(test_failing_step),
        cmocka_unit_test(test_no_socket),
        cmocka_unit_test(test_no_interfaces_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
