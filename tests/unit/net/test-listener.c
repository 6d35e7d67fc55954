/*
 * test-listener.c: accepted and rejected connections, and the choice of the port.
 */
#include "base/loop.h"
#include "net/listener.h"
#include "support/failing.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct loop *loop;
    struct ota_failure failure;
    struct loop_timer deadline;
    int accepted;
    bool is_shut; /* offered, and not taken */
    int descriptor;
    struct address peer;
};

static int set_up_listener(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    fixture.loop = loop_new();
    fixture.descriptor = -1;
    *state = &fixture;
    return 0;
}

static int tear_down_listener(void **state)
{
    struct fixture *fixture = *state;
    loop_free(fixture->loop);
    return 0;
}

static bool on_accept(int descriptor, const struct address *peer, void *userdata)
{
    struct fixture *fixture = userdata;
    fixture->accepted++;
    fixture->descriptor = descriptor;
    fixture->peer = *peer;
    loop_quit(fixture->loop);
    return !fixture->is_shut;
}

static void on_listener_deadline(void *userdata)
{
    struct fixture *fixture = userdata;
    loop_quit(fixture->loop);
}

static struct address numeric(const char *text, uint16_t port)
{
    struct address address;
    assert_true(address_parse(&address, text));
    address_set_port(&address, port);
    return address;
}

static int connect_from(const char *from, const char *to, uint16_t port)
{
    struct address source = numeric(from, 0);
    struct address target = numeric(to, port);
    int descriptor = socket(source.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(bind(descriptor, &source.any, address_length(&source)), 0);
    assert_int_equal(connect(descriptor, &target.any, address_length(&target)), 0);
    return descriptor;
}

static void run_listener(struct fixture *fixture, int64_t limit_us)
{
    loop_timer_init(&fixture->deadline, fixture->loop, on_listener_deadline, fixture);
    loop_timer_start(&fixture->deadline, limit_us);
    assert_int_equal(loop_run(fixture->loop), 0);
    loop_timer_stop(&fixture->deadline);
}

static void test_expected_peer_is_handed_over(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);

    assert_non_null(listener);
    struct address expected = numeric("127.0.0.2", 0);
    assert_int_equal(listener_expect(listener, &expected, on_accept, fixture), 0);
    int client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
    run_listener(fixture, 2000000);
    assert_int_equal(fixture->accepted, 1);
    assert_int_equal(fixture->peer.any.sa_family, AF_INET); /* not an IPv4-mapped address */
    assert_true(address_equal(&fixture->peer, &expected));
    close(client);
    close(fixture->descriptor);
    listener_close(listener);
}

static void test_ipv6_peer_on_the_same_port(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);
    struct address expected = numeric("::1", 0);

    listener_expect(listener, &expected, on_accept, fixture);
    int client = connect_from("::1", "::1", listener_port(listener));
    run_listener(fixture, 2000000);
    assert_int_equal(fixture->accepted, 1);
    close(client);
    close(fixture->descriptor);
    listener_close(listener);
}

/* Each connection is offered again, and a rejected peer gets no byte. */
static void test_who_is_not_taken_is_closed(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);
    struct address expected = numeric("127.0.0.2", 0);
    char byte;

    listener_expect(listener, &expected, on_accept, fixture);
    fixture->is_shut = true;
    for (int i = 1; i <= 2; i++) {
        int client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));

        run_listener(fixture, 2000000);
        assert_int_equal(fixture->accepted, i);
        assert_int_equal(read(client, &byte, 1), 0);
        close(client);
    }
    assert_true(listener_is_expecting(listener, &expected));

    fixture->is_shut = false;
    int client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
    run_listener(fixture, 2000000);
    assert_int_equal(fixture->accepted, 3);
    assert_false(listener_is_expecting(listener, &expected));
    close(client);
    close(fixture->descriptor);
    listener_close(listener);
}

/* The stranger reads an end of file: its connection was closed without a byte. */
static void test_stranger_is_closed_without_a_byte(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);
    struct address expected = numeric("127.0.0.2", 0);

    listener_expect(listener, &expected, on_accept, fixture);
    char text[ADDRESS_TEXT_MAX];
    assert_null(listener_stranger(listener, 0));
    int stranger = connect_from("127.0.0.3", "127.0.0.1", listener_port(listener));
    int client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
    run_listener(fixture, 2000000);
    char byte;
    assert_int_equal(recv(stranger, &byte, 1, 0), 0);
    assert_non_null(listener_stranger(listener, 0));
    assert_null(listener_stranger(listener, loop_now_us() + 1));
    assert_string_equal(address_text(text, listener_stranger(listener, 0)), "127.0.0.3");
    assert_int_equal(fixture->accepted, 1);
    assert_true(address_equal(&fixture->peer, &expected));
    close(stranger);
    close(client);
    close(fixture->descriptor);
    listener_close(listener);
}

static void test_an_expectation_is_for_one_connection(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);

    listener_expect(listener, NULL, on_accept, fixture); /* anyone */
    int first = connect_from("127.0.0.9", "127.0.0.1", listener_port(listener));
    int second = connect_from("127.0.0.9", "127.0.0.1", listener_port(listener));
    run_listener(fixture, 2000000);
    assert_int_equal(fixture->accepted, 1);
    char byte;
    run_listener(fixture, 100000);
    assert_int_equal(fixture->accepted, 1);
    assert_int_equal(recv(second, &byte, 1, 0), 0);
    close(first);
    close(second);
    close(fixture->descriptor);
    listener_close(listener);
}

/* BBR, the default on some computers, would pace a connection that the board's window paces
 * already. */
static void test_how_accepted_sockets_send(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);

    listener_expect(listener, NULL, on_accept, fixture);
    int board = connect_from("127.0.0.9", "127.0.0.1", listener_port(listener));
    run_listener(fixture, 2000000);
    assert_int_equal(fixture->accepted, 1);
    char name[16] = "";
    socklen_t length = sizeof name;
    getsockopt(fixture->descriptor, IPPROTO_TCP, TCP_CONGESTION, name, &length);
    assert_string_equal(name, "reno");
    int resend_us = 0;
    length = sizeof resend_us;
    if (getsockopt(fixture->descriptor, IPPROTO_TCP, 45 /* TCP_RTO_MIN_US */, &resend_us,
                   &length) == 0)
        assert_in_range(resend_us, 50000, 60000); /* whole ticks of the kernel's clock */
    else
        assert_int_equal(errno, ENOPROTOOPT);
    close(board);
    close(fixture->descriptor);
    listener_close(listener);
}

static void test_forgotten_and_duplicate_expectations(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);
    struct address expected = numeric("127.0.0.2", 0);
    int other;

    assert_int_equal(listener_expect(listener, &expected, on_accept, fixture), 0);
    assert_int_equal(listener_expect(listener, &expected, on_accept, &other), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(listener_expect(listener, &expected, on_accept, fixture), 0); /* again */
    listener_forget(listener, fixture);
    assert_int_equal(listener_expect(listener, &expected, on_accept, &other), 0);
    listener_forget(listener, &other);
    int client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
    run_listener(fixture, 100000);
    assert_int_equal(fixture->accepted, 0);
    close(client);
    listener_close(listener);
}

/* The client reads an end of file: it was rejected. */
static bool is_turned_away(int client)
{
    char byte;

    return recv(client, &byte, 1, MSG_DONTWAIT) == 0;
}

/* Once one address of a board has connected, the others are strangers. */
static void test_one_board_with_several_addresses(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);
    struct address first = numeric("127.0.0.2", 0), second = numeric("127.0.0.3", 0);
    struct address others = numeric("127.0.0.4", 0);
    int other, client, late;

    assert_int_equal(listener_expect(listener, &first, on_accept, fixture), 0);
    assert_int_equal(listener_expect(listener, &second, on_accept, fixture), 0);
    assert_int_equal(listener_expect(listener, &others, on_accept, &other), 0);
    assert_true(listener_is_expecting(listener, &first));
    assert_true(listener_is_expecting(listener, &second));
    client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
    late = connect_from("127.0.0.3", "127.0.0.1", listener_port(listener));
    run_listener(fixture, 2000000);
    assert_int_equal(fixture->accepted, 1);
    assert_true(address_equal(&fixture->peer, &first));
    run_listener(fixture, 100000);
    assert_int_equal(fixture->accepted, 1);
    assert_true(is_turned_away(late));
    assert_true(listener_is_expecting(listener, &others));
    assert_false(listener_is_expecting(listener, &first));
    assert_false(listener_is_expecting(listener, &second));
    close(client);
    close(late);
    close(fixture->descriptor);
    listener_close(listener);
}

static void test_only_one_address_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);
    struct address first = numeric("127.0.0.2", 0), second = numeric("127.0.0.3", 0);
    struct address others = numeric("127.0.0.4", 0);
    char text[ADDRESS_TEXT_MAX];
    int other, client, late, again;

    listener_expect(listener, &first, on_accept, fixture);
    listener_expect(listener, &others, on_accept, &other);
    listener_expect(listener, &second, on_accept, fixture);
    listener_keep(listener, &second, fixture);
    assert_false(listener_is_expecting(listener, &first));
    assert_true(listener_is_expecting(listener, &others));
    late = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
    client = connect_from("127.0.0.3", "127.0.0.1", listener_port(listener));
    run_listener(fixture, 2000000);
    assert_int_equal(fixture->accepted, 1);
    assert_true(address_equal(&fixture->peer, &second));
    assert_true(is_turned_away(late));

    /* The board connects once more. It is no stranger, whoever else waits for a connection now. */
    assert_null(listener_board(listener, 0));
    again = connect_from("127.0.0.3", "127.0.0.1", listener_port(listener));
    assert_int_equal(listener_empty(listener), 0);
    assert_true(is_turned_away(again));
    assert_string_equal(address_text(text, listener_stranger(listener, 0)), "127.0.0.2");
    assert_non_null(listener_board(listener, 0));
    assert_string_equal(address_text(text, listener_board(listener, 0)), "127.0.0.3");
    assert_null(listener_board(listener, loop_now_us() + 1));
    close(again);
    close(client);
    close(late);
    close(fixture->descriptor);
    listener_close(listener);
}

static void test_range_skips_ports_in_use(void **state)
{
    struct fixture *fixture = *state;
    const struct source local = {.has_address = true, .address = numeric("127.0.0.1", 0)};
    struct listener *first = listener_open(fixture->loop, &local, 0, 0, &fixture->failure);
    uint16_t port = listener_port(first);
    assert_true(port > 0);
    struct listener *second =
        listener_open(fixture->loop, &local, port, (uint16_t)(port + 20), &fixture->failure);
    assert_non_null(second);
    assert_true(listener_port(second) > port);
    listener_close(second);

    char expected[64];
    assert_null(listener_open(fixture->loop, &local, port, port, &fixture->failure));
    assert_int_equal(fixture->failure.error, OTA_E_NO_PORT);
    snprintf(expected, sizeof expected, "TCP port %u of 127.0.0.1", port);
    assert_non_null(strstr(fixture->failure.message, expected));
    listener_close(first);
}

static void test_address_that_is_not_ours(void **state)
{
    struct fixture *fixture = *state;
    const struct source foreign = {.has_address = true, .address = numeric("192.0.2.1", 0)};
    assert_null(listener_open(fixture->loop, &foreign, 0, 0, &fixture->failure));
    assert_int_equal(fixture->failure.error, OTA_E_NO_PORT);
    assert_non_null(strstr(fixture->failure.message, "192.0.2.1"));
}

/* All connections of the backlog are offered at once; those that come later are not. */
static void test_emptying(void **state)
{
    enum { EARLY = 100 };
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);
    struct address expected = numeric("127.0.0.2", 0);
    int clients[EARLY];

    listener_expect(listener, &expected, on_accept, fixture);
    fixture->is_shut = true;
    for (int i = 0; i < EARLY; i++)
        clients[i] =
            connect_from(i % 2 ? "127.0.0.2" : "127.0.0.3", "127.0.0.1", listener_port(listener));
    assert_int_equal(listener_empty(listener), 0);
    assert_int_equal(fixture->accepted, EARLY / 2);
    for (int i = 0; i < EARLY; i++) {
        assert_true(is_turned_away(clients[i]));
        close(clients[i]);
    }

    fixture->is_shut = false;
    int client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
    assert_int_equal(fixture->accepted, EARLY / 2);
    assert_int_equal(listener_empty(listener), 0);
    assert_int_equal(fixture->accepted, EARLY / 2 + 1);
    close(client);
    close(fixture->descriptor);
    listener_close(listener);
}

/* The connection stays in the backlog; the loop must pause instead of spinning. */
static void test_out_of_descriptors(void **state)
{
    struct fixture *fixture = *state;

    if (getenv("ESP_OTA_VALGRIND"))
        skip(); /* it removes the connection from the backlog before it reports the lack of room */
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);
    listener_expect(listener, NULL, on_accept, fixture);
    int client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
    struct rlimit old, none = {0};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    run_listener(fixture, 300000);
    getrusage(RUSAGE_SELF, &after);
    int was_emptied = listener_empty(listener);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_int_equal(fixture->accepted, 0);
    assert_int_equal(listener_trouble(listener), EMFILE);
    assert_int_equal(was_emptied, EMFILE);
    assert_true(after.ru_nvcsw - before.ru_nvcsw < 20);
    int64_t system_us = (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * INT64_C(1000000) +
                        after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    assert_true(system_us < 150000);
    run_listener(fixture, 2000000);
    assert_int_equal(fixture->accepted, 1);
    assert_int_equal(listener_trouble(listener), 0);
    close(client);
    close(fixture->descriptor);
    listener_close(listener);
}

/* The last file descriptor goes to the last connection. accept(2) fails, but no connection is
 * waiting. */
static void test_no_more_descriptors_than_needed(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);

    listener_expect(listener, NULL, on_accept, fixture);
    int client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
    int next = dup(client);
    close(next);
    struct rlimit old, one = {0};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    one = (struct rlimit){.rlim_cur = (rlim_t)next + 1, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &one), 0);
    run_listener(fixture, 2000000);
    assert_int_equal(listener_empty(listener), 0);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_int_equal(fixture->accepted, 1);
    assert_int_equal(listener_trouble(listener), 0);
    close(client);
    close(fixture->descriptor);
    listener_close(listener);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, set_up_listener, tear_down_listener)

static void test_listener_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct address peer = numeric("127.0.0.2", 0);
    int made = 0;

    for (bool has_failed = true; has_failed; made++) {
        struct loop *loop = loop_new();
        int before = failing_count_open();
        failing_start(FAILING_ALLOCATION, made, ENOMEM);
        struct listener *listener = listener_open(loop, &source_any, 0, 0, &fixture->failure);
        int rc = listener ? listener_expect(listener, &peer, on_accept, fixture) : -1;
        has_failed = failing_stop();
        assert_int_equal(rc, has_failed ? -1 : 0);
        if (!listener)
            assert_int_equal(fixture->failure.error, OTA_E_INTERNAL);
        else
            assert_int_equal(listener_is_expecting(listener, &peer), !has_failed);
        listener_close(listener);
        listener_close(NULL);
        assert_int_equal(failing_count_open(), before);
        loop_free(loop);
    }
    assert_true(made > 2); /* its own, the expectation's */
}

/* OTA_OK: it is opened nevertheless; without IPv6, IPv4 is left. */
static void test_listener_failed_calls(void **state)
{
    static const struct {
        enum failing_call call;
        int error;
        const char *address;
        enum ota_error expected;
    } rows[] = {{FAILING_SOCKET, EAFNOSUPPORT, NULL, OTA_OK},
                {FAILING_SOCKET, EMFILE, "127.0.0.1", OTA_E_INTERNAL},
                {FAILING_GETSOCKNAME, ENOBUFS, NULL, OTA_E_INTERNAL}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct source source = {.has_address = true, .address = numeric("127.0.0.1", 0)};
        int before = failing_count_open();

        failing_start(rows[i].call, 0, rows[i].error);
        struct listener *listener = listener_open(
            fixture->loop, rows[i].address ? &source : &source_any, 0, 0, &fixture->failure);
        assert_true(failing_stop());

        assert_int_equal(listener != NULL, rows[i].expected == OTA_OK);
        if (listener)
            close(connect_from("127.0.0.1", "127.0.0.1", listener_port(listener)));
        else
            assert_int_equal(fixture->failure.error, rows[i].expected);
        if (rows[i].error == EMFILE)
            assert_int_equal(fixture->failure.cause, OTA_CAUSE_TOO_MANY_FILES);
        listener_close(listener);
        assert_int_equal(failing_count_open(), before);
    }
}

/* The connection waits in the backlog, and the next try accepts it. */
static void test_accepting_fails_once(void **state)
{
    static const int errors[] = {EINTR, EAGAIN, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM};
    struct fixture *fixture = *state;
    struct address expected = numeric("127.0.0.2", 0);
    struct listener *listener = listener_open(fixture->loop, &source_any, 0, 0, &fixture->failure);

    assert_non_null(listener);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        assert_int_equal(listener_expect(listener, &expected, on_accept, fixture), 0);
        int client = connect_from("127.0.0.2", "127.0.0.1", listener_port(listener));
        failing_start(FAILING_ACCEPT, 0, errors[i]);
        fixture->accepted = 0;
        run_listener(fixture, 10000000);
        assert_true(failing_stop());
        assert_int_equal(fixture->accepted, 1);
        assert_int_equal(listener_trouble(listener), 0);
        close(client);
        close(fixture->descriptor);
    }
    listener_close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_expected_peer_is_handed_over),
        TEST(test_ipv6_peer_on_the_same_port),
        TEST(test_who_is_not_taken_is_closed),
        TEST(test_stranger_is_closed_without_a_byte),
        TEST(test_an_expectation_is_for_one_connection),
        TEST(test_how_accepted_sockets_send),
        TEST(test_forgotten_and_duplicate_expectations),
        TEST(test_one_board_with_several_addresses),
        TEST(test_only_one_address_is_kept),
        TEST(test_range_skips_ports_in_use),
        TEST(test_address_that_is_not_ours),
        TEST(test_emptying),
        TEST(test_out_of_descriptors),
        TEST(test_no_more_descriptors_than_needed),
        TEST(test_listener_no_memory),
        TEST(test_listener_failed_calls),
        TEST(test_accepting_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
