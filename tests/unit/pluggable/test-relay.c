/*
 * test-relay.c: bytes between two sockets whose other ends the test holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "boardlog/board_log.h"
#include "pluggable/relay.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FLOOD = 1 << 20 };

static struct world {
    struct loop *loop;
    struct relay *relay;
    int board, ide; /* the other ends */
    char reason[128];
    /* The test reads at an end until it has this many bytes, or the other side is gone. */
    struct loop_watch watch;
    int reader;
    size_t wanted, got;
    unsigned char *bytes;
} world;

static void on_relay_end(const char *reason, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    snprintf(world.reason, sizeof world.reason, "%s", reason);
    loop_quit(world.loop);
}

static void on_readable(unsigned events, void *userdata)
{
    ssize_t got = recv(world.reader, world.bytes + world.got, world.wanted - world.got, 0);

    (void)events;
    (void)userdata;
    assert_true(got > 0);
    world.got += (size_t)got;
    if (world.got == world.wanted)
        loop_quit(world.loop);
}

static void read_bytes(int end, void *bytes, size_t wanted)
{
    world.reader = end;
    world.bytes = bytes;
    world.wanted = wanted;
    world.got = 0;
    assert_int_equal(
        loop_watch_start(&world.watch, world.loop, end, LOOP_READABLE, on_readable, NULL), 0);
    assert_int_equal(loop_run(world.loop), 0);
    loop_watch_stop(&world.watch);
    assert_int_equal(world.got, wanted);
}

static void assert_reads(int end, const char *text)
{
    char bytes[64] = "";

    read_bytes(end, bytes, strlen(text));
    assert_string_equal(bytes, text);
}

static void send_text(int end, const char *text)
{
    assert_int_equal(send(end, text, strlen(text), MSG_NOSIGNAL), (int)strlen(text));
}

static void start(bool keeps_colors)
{
    int board[2], ide[2];

    world = (struct world){.loop = loop_new()};
    assert_non_null(world.loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, board), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ide), 0);
    world.board = board[1];
    world.ide = ide[1];
    world.relay = relay_start(world.loop, board[0], ide[0], keeps_colors, on_relay_end, &world);
    assert_non_null(world.relay);
}

static void stop(void)
{
    relay_free(world.relay);
    loop_free(world.loop);
    close(world.board);
    close(world.ide);
}

static void test_relay_both_ways(void **state)
{
    (void)state;

    start(false);
    send_text(world.board, "\xff\xfb\x01hel\x1b[0;32mlo\n");
    assert_reads(world.ide, "hello\n");
    send_text(world.ide, "status\r\n");
    assert_reads(world.board, "status\r\n");
    stop();

    start(true);
    send_text(world.board, "\xff\xfb\x01\x1b[0;32mhello\n");
    assert_reads(world.ide, "\x1b[0;32mhello\n");
    stop();
}

/* Boards discard what comes earlier. */
static void test_relay_waits_for_board(void **state)
{
    int64_t start_us = loop_now_us();
    (void)state;

    start(false);
    send_text(world.ide, "status\r\n");
    assert_reads(world.board, "status\r\n");
    assert_true(loop_now_us() - start_us >= BOARD_LOG_SETTLE_US);
    stop();
}

/* The last bytes of a board arrive before the end does. */
static void test_relay_end_of_board(void **state)
{
    (void)state;

    start(false);
    send_text(world.ide, "x");
    assert_reads(world.board, "x"); /* the connection has lasted */
    send_text(world.board, "last words");
    close(world.board);
    assert_int_equal(loop_run(world.loop), 0);
    assert_string_equal(world.reason, "the board's log has ended: the board closed the connection");
    assert_reads(world.ide, "last words");
    stop();
}

static void test_relay_hung_up_at_once(void **state)
{
    (void)state;

    start(false);
    close(world.board);
    assert_int_equal(loop_run(world.loop), 0);
    assert_string_equal(world.reason, "the board hung up at once; it may serve only one client");
    stop();
}

static void test_relay_end_of_ide(void **state)
{
    (void)state;

    start(false);
    send_text(world.ide, "x");
    assert_reads(world.board, "x");
    close(world.ide);
    assert_int_equal(loop_run(world.loop), 0);
    assert_string_equal(world.reason, "the IDE closed the connection");
    stop();
}

/* An IDE that reads nothing for a while gets everything in the end; the board is held meanwhile. */
static void test_relay_flood(void **state)
{
    unsigned char *sent = malloc(FLOOD), *got = malloc(FLOOD);
    size_t begun = 0;
    (void)state;

    assert_non_null(sent);
    assert_non_null(got);
    for (size_t i = 0; i < FLOOD; i++)
        sent[i] = (unsigned char)('a' + i % 23);

    start(false);
    while (begun < FLOOD) {
        ssize_t more = send(world.board, sent + begun, FLOOD - begun, MSG_NOSIGNAL);
        size_t count = more > 0 ? (size_t)more : 0;

        assert_true(count > 0);
        read_bytes(world.ide, got + begun, count);
        begun += count;
    }
    assert_memory_equal(got, sent, FLOOD);
    stop();
    free(sent);
    free(got);
}

/* Nobody else is blamed for what this computer lacks. */
static void test_relay_local_trouble(void **state)
{
    char reason[128];
    (void)state;

    start(false);
    send_text(world.board, "hello");
    failing_start(FAILING_RECV, 0, ENOMEM);
    assert_int_equal(loop_run(world.loop), 0);
    assert_true(failing_stop());
    snprintf(reason, sizeof reason, "the connection to the board has failed: %s", strerror(ENOMEM));
    assert_string_equal(world.reason, reason);
    stop();

    start(false);
    failing_start(FAILING_SEND, 1, ENOBUFS); /* the first is the board's */
    send_text(world.board, "hello");
    assert_int_equal(loop_run(world.loop), 0);
    assert_true(failing_stop());
    snprintf(reason, sizeof reason, "the connection to the IDE has failed: %s", strerror(ENOBUFS));
    assert_string_equal(world.reason, reason);
    stop();
}

/* A relay that cannot start has closed both sockets. */
static void test_relay_cannot_start(void **state)
{
    const struct {
        enum failing_call call;
        int after, error;
    } cases[] = {
        {FAILING_ALLOCATION, 0, ENOMEM},
        {FAILING_EPOLL_CTL, 0, ENOSPC},
        {FAILING_EPOLL_CTL, 1, ENOSPC},
    };
    (void)state;

    world = (struct world){.loop = loop_new()};
    assert_non_null(world.loop);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int count = failing_count_open();
        int board[2], ide[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, board), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ide), 0);
        failing_start(cases[i].call, cases[i].after, cases[i].error);
        assert_null(relay_start(world.loop, board[0], ide[0], false, on_relay_end, &world));
        assert_int_equal(errno, cases[i].error == ENOSPC ? ENFILE : cases[i].error);
        assert_true(failing_stop());
        close(board[1]);
        close(ide[1]);
        assert_int_equal(failing_count_open(), count);
    }
    loop_free(world.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relay_both_ways),     cmocka_unit_test(test_relay_waits_for_board),
        cmocka_unit_test(test_relay_end_of_board),  cmocka_unit_test(test_relay_hung_up_at_once),
        cmocka_unit_test(test_relay_end_of_ide),    cmocka_unit_test(test_relay_flood),
        cmocka_unit_test(test_relay_local_trouble), cmocka_unit_test(test_relay_cannot_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
