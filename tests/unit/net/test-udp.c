/*
 * test-udp.c: the socket towards one board, on loopback.
 */
#include "base/loop.h"
#include "net/udp.h"
#include "support/failing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    struct loop *loop;
    struct loop_timer deadline;
    struct address address; /* of the board */
    int board;
    struct udp udp;
    char heard[64];
    unsigned datagrams;
    int reason;
    bool close_at_once;
};

static void on_datagram(const void *data, size_t length, void *userdata)
{
    struct scene *scene = userdata;
    assert_true(length < sizeof scene->heard);
    memcpy(scene->heard, data, length);
    scene->heard[length] = '\0';
    scene->datagrams++;
    if (scene->close_at_once)
        udp_close(&scene->udp);
    loop_quit(scene->loop);
}

static void on_error(int reason, void *userdata)
{
    struct scene *scene = userdata;
    scene->reason = reason;
    loop_quit(scene->loop);
}

static void on_udp_deadline(void *userdata)
{
    (void)userdata;
    fail_msg("nothing came in 60 s");
}

static int bind_loopback(struct address *address)
{
    socklen_t length = sizeof(struct sockaddr_in);
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(address_parse(address, "127.0.0.1"));
    assert_int_equal(bind(descriptor, &address->any, length), 0);
    assert_int_equal(getsockname(descriptor, &address->any, &length), 0);
    return descriptor;
}

static void set_up_udp(struct scene *scene)
{
    *scene = (struct scene){.loop = loop_new()};
    assert_non_null(scene->loop);
    scene->board = bind_loopback(&scene->address);
    scene->udp = (struct udp){.loop = scene->loop,
                              .on_datagram = on_datagram,
                              .on_error = on_error,
                              .userdata = scene,
                              .fd = -1};

    loop_timer_init(&scene->deadline, scene->udp.loop, on_udp_deadline, scene);
    loop_timer_start(&scene->deadline, INT64_C(60000000));
    assert_int_equal(udp_open(&scene->udp, &source_any, &scene->address), 0);
}

static void tear_down_udp(struct scene *scene)
{
    udp_close(&scene->udp);
    udp_close(&scene->udp); /* harmless */
    loop_free(scene->loop);
    if (scene->board >= 0)
        close(scene->board);
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct scene scene;
    struct address local, peer;
    socklen_t length = sizeof peer;
    char text[64];
    set_up_udp(&scene);
    assert_true(udp_local(&scene.udp, &local));
    assert_int_equal(udp_send(&scene.udp, "invitation", 10), 0);
    assert_int_equal(recvfrom(scene.board, text, sizeof text, 0, &peer.any, &length), 10);
    assert_true(address_equal(&peer, &local));
    assert_int_equal(address_port(&peer), address_port(&local));

    /* Datagrams from other addresses are ignored. */
    struct address other;
    int stranger = bind_loopback(&other);
    assert_int_equal(sendto(stranger, "ERR: no", 7, 0, &peer.any, length), 7);
    assert_int_equal(sendto(scene.board, "OK", 2, 0, &peer.any, length), 2);
    assert_int_equal(loop_run(scene.loop), 0);
    assert_string_equal(scene.heard, "OK");
    assert_int_equal(scene.datagrams, 1);
    close(stranger);
    tear_down_udp(&scene);
}

/* The first of two datagrams closes the socket: the second is not read. */
static void test_closed_in_a_callback(void **state)
{
    (void)state;
    struct scene scene;
    struct address local;

    set_up_udp(&scene);
    scene.close_at_once = true;
    assert_true(udp_local(&scene.udp, &local));
    for (int i = 0; i < 2; i++)
        assert_int_equal(sendto(scene.board, "OK", 2, 0, &local.any, address_length(&local)), 2);
    assert_int_equal(loop_run(scene.loop), 0);
    assert_int_equal(scene.datagrams, 1);
    assert_int_equal(scene.udp.fd, -1);
    tear_down_udp(&scene);
}

static void test_refusal_by_icmp(void **state)
{
    (void)state;
    struct scene scene;

    set_up_udp(&scene);
    close(scene.board);
    scene.board = -1;
    assert_int_equal(udp_send(&scene.udp, "invitation", 10), 0);
    assert_int_equal(loop_run(scene.loop), 0);
    assert_int_equal(scene.reason, ECONNREFUSED);
    tear_down_udp(&scene);
}

/* An ICMP error about one datagram does not keep the next one from being sent. */
static void test_an_old_error_is_not_this_one(void **state)
{
    (void)state;
    struct scene scene;
    set_up_udp(&scene);
    close(scene.board);
    scene.board = -1;
    for (int i = 0; i < 3; i++)
        assert_int_equal(udp_send(&scene.udp, "invitation", 10), 0);
    tear_down_udp(&scene);
}

static void test_udp_failures(void **state)
{
    (void)state;
    struct scene scene;
    struct source elsewhere = {.has_address = true};
    char too_long[70000] = "";

    set_up_udp(&scene);
    assert_int_equal(udp_send(&scene.udp, too_long, sizeof too_long), EMSGSIZE);
    udp_close(&scene.udp);
    assert_true(
        address_parse(&elsewhere.address, "192.0.2.1")); /* of no host (RFC 5737), so not local */
    assert_int_equal(udp_open(&scene.udp, &elsewhere, &scene.address), -1);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(scene.udp.fd, -1);
    tear_down_udp(&scene);
}

/* No socket is open then, and errno has the reason. */
static void test_udp_failed_calls(void **state)
{
    static const struct {
        enum failing_call call;
        int error;
    } rows[] = {
        {FAILING_SOCKET, EMFILE}, {FAILING_CONNECT, ENETUNREACH}, {FAILING_EPOLL_CTL, ENOMEM}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene;
        struct address local;

        set_up_udp(&scene);
        udp_close(&scene.udp);
        int before = failing_count_open();

        failing_start(rows[i].call, 0, rows[i].error);
        assert_int_equal(udp_open(&scene.udp, &source_any, &scene.address), -1);
        assert_int_equal(errno, rows[i].error);
        assert_true(failing_stop());

        assert_int_equal(scene.udp.fd, -1);
        assert_int_equal(failing_count_open(), before);
        assert_false(udp_local(&scene.udp, &local));
        tear_down_udp(&scene);
    }
}

/* EINTR does not end it, and an old error does not count for this datagram. */
static void test_interrupted(void **state)
{
    struct scene scene;
    (void)state;

    set_up_udp(&scene);
    failing_start(FAILING_RECV, 0, EINTR);
    udp_receive(&scene.udp);
    assert_true(failing_stop());
    assert_int_equal(scene.reason, 0);
    failing_start(FAILING_SEND, 0, ECONNREFUSED);
    assert_int_equal(udp_send(&scene.udp, "invitation", 10), 0);
    assert_true(failing_stop());
    assert_int_equal(scene.udp.trouble, 0);
    tear_down_udp(&scene);
}

/* A firewall of this computer that rejects the datagram says so with an ICMP error, too: that is
 * dropped, whether send() shows it or not. */
static void test_firewall(void **state)
{
    struct scene scene;
    (void)state;

    set_up_udp(&scene);
    close(scene.board);
    scene.board = -1;
    assert_int_equal(udp_send(&scene.udp, "invitation", 10), 0); /* refused by ICMP */
    failing_start(FAILING_SEND, 0, EPERM);
    assert_int_equal(udp_send(&scene.udp, "invitation", 10), EPERM);
    assert_true(failing_stop());
    assert_int_equal(scene.udp.trouble, 0);
    udp_receive(&scene.udp);
    assert_int_equal(scene.reason, 0);
    tear_down_udp(&scene);
}

/* A flood is received in several calls. */
static void test_flood(void **state)
{
    struct scene scene;
    struct address local;

    (void)state;
    set_up_udp(&scene);
    assert_true(udp_receive(&scene.udp));
    assert_true(udp_local(&scene.udp, &local));
    for (int i = 0; i < 20; i++)
        assert_int_equal(sendto(scene.board, "OK", 2, 0, &local.any, address_length(&local)), 2);
    assert_false(udp_receive(&scene.udp));
    assert_int_equal(scene.datagrams, 16);
    assert_true(udp_receive(&scene.udp));
    assert_int_equal(scene.datagrams, 20);
    tear_down_udp(&scene);
}

/* A call that fails once is repeated. */
static void test_trouble_once(void **state)
{
    struct scene scene;
    struct address local;
    (void)state;

    set_up_udp(&scene);
    assert_true(udp_local(&scene.udp, &local));
    assert_int_equal(sendto(scene.board, "OK", 2, 0, &local.any, address_length(&local)), 2);
    failing_start(FAILING_RECV, 0, ENOMEM);
    udp_receive(&scene.udp);
    assert_true(failing_stop());
    assert_int_equal(scene.udp.trouble, 0);
    assert_string_equal(scene.heard, "OK");
    tear_down_udp(&scene);
}

/* A lack of resources is no failure. The datagram that could not be received is read at the next
 * send; until then the loop does not report it. */
static void test_trouble_of_this_computer(void **state)
{
    struct scene scene;
    struct address local;
    (void)state;
    set_up_udp(&scene);
    failing_start_for_good(FAILING_SEND, ENOBUFS);
    assert_int_equal(udp_send(&scene.udp, "invitation", 10), 0);
    assert_true(failing_stop());
    assert_int_equal(scene.udp.trouble, ENOBUFS);
    assert_false(scene.udp.is_deaf);

    assert_true(udp_local(&scene.udp, &local));
    assert_int_equal(sendto(scene.board, "OK", 2, 0, &local.any, address_length(&local)), 2);
    failing_start_for_good(FAILING_RECV, ENOMEM);
    udp_receive(&scene.udp);
    assert_true(failing_stop());
    assert_int_equal(scene.udp.trouble, ENOMEM);
    assert_true(scene.udp.is_deaf);
    assert_int_equal(scene.reason, 0);
    assert_int_equal(scene.datagrams, 0);

    assert_int_equal(udp_send(&scene.udp, "invitation", 10), 0);
    assert_int_equal(scene.udp.trouble, 0);
    assert_int_equal(loop_run(scene.loop), 0);
    assert_string_equal(scene.heard, "OK");
    tear_down_udp(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_firewall),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_closed_in_a_callback),
        cmocka_unit_test(test_refusal_by_icmp),
        cmocka_unit_test(test_an_old_error_is_not_this_one),
        cmocka_unit_test(test_udp_failures),
        cmocka_unit_test(test_udp_failed_calls),
        cmocka_unit_test(test_trouble_once),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_trouble_of_this_computer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
