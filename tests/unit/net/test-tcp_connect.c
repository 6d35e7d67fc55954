/*
 * test-tcp_connect.c: an attempt to connect is accepted, refused, or ends at its deadline.
 */
#include "base/loop.h"
#include "net/source.h"
#include "net/tcp_connect.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CROWD = 4 };

struct outcome {
    struct loop *loop;
    struct tcp_connect *run_attempt;
    bool frees; /* in the callback */
    int calls;
    int fd;
    int reason;
};

static void on_connect_done(int fd, int reason, void *userdata)
{
    struct outcome *outcome = userdata;

    outcome->calls++;
    outcome->fd = fd;
    outcome->reason = reason;
    if (outcome->frees) {
        tcp_connect_free(outcome->run_attempt);
        outcome->run_attempt = NULL;
    }
    loop_quit(outcome->loop);
}

static void on_connect_deadline(void *userdata)
{
    (void)userdata;
    fail_msg("the run_attempt did not end");
}

/* A listener on loopback; *address is where. */
static int listen_there(struct address *address, int backlog)
{
    assert_true(address_parse(address, "127.0.0.1"));
    socklen_t length = address_length(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, &address->any, length), 0);
    assert_int_equal(listen(listener, backlog), 0);
    assert_int_equal(getsockname(listener, &address->any, &length), 0);
    return listener;
}

static struct outcome run_attempt_from(const struct source *source, const struct address *address,
                                       int64_t deadline_us, bool frees)
{
    struct outcome outcome = {.loop = loop_new(), .frees = frees, .fd = -1};
    struct loop_timer deadline;
    assert_non_null(outcome.loop);

    loop_timer_init(&deadline, outcome.loop, on_connect_deadline, NULL);
    loop_timer_start(&deadline, 10 * INT64_C(1000000));
    outcome.run_attempt =
        tcp_connect_start(outcome.loop, address, source, deadline_us, on_connect_done, &outcome);
    assert_non_null(outcome.run_attempt);
    assert_int_equal(outcome.calls, 0); /* never from within tcp_connect_start() */
    assert_int_equal(loop_run(outcome.loop), 0);
    assert_int_equal(outcome.calls, 1);
    tcp_connect_free(outcome.run_attempt);
    loop_free(outcome.loop);
    return outcome;
}

static struct outcome run_attempt(const struct address *address, int64_t deadline_us, bool frees)
{
    return run_attempt_from(&source_any, address, deadline_us, frees);
}

static void test_from_source(void **state)
{
    const struct source gone = {.interface = "no-such"};
    struct source source = {.has_address = true}, v6 = {.has_address = true};
    struct address address, peer;
    char text[ADDRESS_TEXT_MAX];
    socklen_t length = sizeof peer;
    int listener = listen_there(&address, 4);
    (void)state;

    assert_true(address_parse(&source.address, "127.0.0.9"));
    struct outcome outcome = run_attempt_from(&source, &address, 5000000, false);
    assert_int_equal(outcome.reason, 0);
    int board = accept(listener, &peer.any, &length);
    assert_string_equal(address_text(text, &peer), "127.0.0.9");
    close(board);
    close(outcome.fd);

    assert_int_equal(run_attempt_from(&gone, &address, 5000000, false).reason, ENODEV);
    assert_true(address_parse(&v6.address, "::1"));
    assert_int_equal(run_attempt_from(&v6, &address, 5000000, false).reason, EAFNOSUPPORT);
    close(listener);
}

static void test_answered(void **state)
{
    struct address address;
    int listener = listen_there(&address, 4);
    (void)state;

    for (int frees = 0; frees < 2; frees++) {
        struct outcome outcome = run_attempt(&address, 5000000, frees);
        assert_int_equal(outcome.reason, 0);
        assert_true(fcntl(outcome.fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(outcome.fd, F_GETFD) & FD_CLOEXEC);
        int board = accept(listener, NULL, NULL);
        assert_int_equal(write(outcome.fd, "x", 1), 1);
        char byte;
        assert_int_equal(read(board, &byte, 1), 1);
        close(board);
        close(outcome.fd);
    }
    close(listener);
}

static void test_refused_connection(void **state)
{
    struct address address;
    (void)state;
    close(listen_there(&address, 1));
    for (int frees = 0; frees < 2; frees++) {
        struct outcome outcome = run_attempt(&address, 5000000, frees);
        assert_int_equal(outcome.fd, -1);
        assert_int_equal(outcome.reason, ECONNREFUSED);
    }
}

/* A full backlog ignores a SYN, like an absent board. */
static void test_silent_peer(void **state)
{
    struct address address;
    int crowd[CROWD];
    int listener = listen_there(&address, 0);
    (void)state;

    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(crowd[i], &address.any, address_length(&address));
    }
    for (int frees = 0; frees < 2; frees++) {
        int64_t start_us = loop_now_us();
        struct outcome outcome = run_attempt(&address, 100000, frees);
        assert_int_equal(outcome.fd, -1);
        assert_int_equal(outcome.reason, ETIMEDOUT);
        assert_true(loop_now_us() - start_us >= 100000);
    }
    for (size_t i = 0; i < CROWD; i++)
        close(crowd[i]);
    close(listener);
}

/* A failure of connect(2) itself is reported in the same way. */
static void test_impossible(void **state)
{
    struct address address;
    (void)state;
    assert_true(address_parse(&address, "255.255.255.255"));
    address_set_port(&address, 23);
    struct outcome outcome = run_attempt(&address, 5000000, true);
    assert_int_equal(outcome.fd, -1);
    assert_true(outcome.reason == ENETUNREACH || outcome.reason == EACCES);
}

static void test_failures(void **state)
{
    static const struct {
        int reason;
        enum ota_error error;
        enum ota_cause cause;
        const char *words;
    } rows[] = {
        {ECONNREFUSED, OTA_E_NOT_LISTENING, OTA_CAUSE_NONE, "nothing listens at HERE"},
        {ETIMEDOUT, OTA_E_NO_ANSWER, OTA_CAUSE_NONE, "no connection to HERE within 5 s"},
        {EPERM, OTA_E_LOCAL, OTA_CAUSE_FIREWALL, "this computer cannot connect to HERE: Oper"},
        {EACCES, OTA_E_LOCAL, OTA_CAUSE_NO_WAY_OUT, "cannot connect to HERE: Permission"},
        {EINVAL, OTA_E_LOCAL, OTA_CAUSE_NONE, "cannot connect to HERE: Invalid argument"},
        {ENETUNREACH, OTA_E_UNREACHABLE, OTA_CAUSE_NO_ROUTE, "to HERE: Network is unreachable"},
        {ENETDOWN, OTA_E_UNREACHABLE, OTA_CAUSE_NO_ROUTE, "to HERE: Network is down"},
        {EADDRNOTAVAIL, OTA_E_LOCAL, OTA_CAUSE_NO_ROUTE, "this computer cannot connect to HERE: C"},
        {EHOSTUNREACH, OTA_E_UNREACHABLE, OTA_CAUSE_NONE, "to HERE: No route to host"},
        {EMFILE, OTA_E_INTERNAL, OTA_CAUSE_TOO_MANY_FILES, "to HERE: Too many open files"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ota_failure failure;

        tcp_connect_fail(&failure, rows[i].reason, "HERE", 5000000);
        assert_int_equal(failure.error, rows[i].error);
        assert_int_equal(failure.cause, rows[i].cause);
        assert_non_null(strstr(failure.message, rows[i].words));
    }
}

static void test_freed_while_it_dials(void **state)
{
    struct address address;
    int listener = listen_there(&address, 1);
    struct loop *loop = loop_new();
    (void)state;

    assert_non_null(loop);
    tcp_connect_free(
        tcp_connect_start(loop, &address, &source_any, 5000000, on_connect_done, NULL));
    tcp_connect_free(NULL);
    loop_free(loop);
    close(listener);
}

static void test_connect_no_memory(void **state)
{
    struct address address;
    int listener = listen_there(&address, 8);
    int made = 0;
    (void)state;

    for (bool has_failed = true; has_failed; made++) {
        struct loop *loop = loop_new();
        assert_non_null(loop);
        int before = failing_count_open();
        failing_start(FAILING_ALLOCATION, made, ENOMEM);
        struct tcp_connect *run_attempt =
            tcp_connect_start(loop, &address, &source_any, 5000000, on_connect_done, NULL);
        has_failed = failing_stop();
        assert_int_equal(run_attempt == NULL, has_failed);
        tcp_connect_free(run_attempt);
        assert_int_equal(failing_count_open(), before);
        loop_free(loop);
    }
    assert_true(made > 1);
    close(listener);
}

/* Reported as the reason, like any other failure. */
static void test_connect_failed_calls(void **state)
{
    static const struct {
        enum failing_call call;
        int error;
    } rows[] = {{FAILING_SOCKET, EMFILE},
                {FAILING_CONNECT, EADDRNOTAVAIL},
                {FAILING_GETSOCKOPT, ENOBUFS},
                {FAILING_EPOLL_CTL, ENFILE}};
    struct address address;
    int listener = listen_there(&address, 8);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int before = failing_count_open();

        failing_start(rows[i].call, 0, rows[i].error);
        struct outcome outcome = run_attempt(&address, 5000000, i % 2);

        assert_true(failing_stop());
        assert_int_equal(outcome.fd, -1);
        assert_int_equal(outcome.reason, rows[i].error);
        assert_int_equal(failing_count_open(), before);
    }
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_source),          cmocka_unit_test(test_answered),
        cmocka_unit_test(test_refused_connection),   cmocka_unit_test(test_silent_peer),
        cmocka_unit_test(test_impossible),           cmocka_unit_test(test_failures),
        cmocka_unit_test(test_freed_while_it_dials), cmocka_unit_test(test_connect_no_memory),
        cmocka_unit_test(test_connect_failed_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
