/*
 * test-mdns_client.c: multicast DNS queries without an answer: no bus, a silent bus, a bus with a
 * full queue, and owners that cancel. Real answers come in tests/integration/test_mdns.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"
#include "discovery/mdns_client.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS INT64_C(1000)

/* The deadline is below the 25 s for which libdbus would wait, and far above what a slow machine
 * takes: a quick failure is recognized by its reason, not by the clock. */
enum { DEADLINE_US = 20000000, QUERIES_MAX = 600 };

/* A child waits before it begins, until this pipe is closed. -1: it does not. */
static int gate[2] = {-1, -1};

static void wait_at_gate(void)
{
    char none;

    if (gate[0] < 0)
        return;
    close(gate[1]);
    (void)!read(gate[0], &none, 1);
}

struct scene {
    struct loop *loop;
    struct mdns_client *mdns;
    struct loop_timer timeout;
    struct mdns_query *queries[QUERIES_MAX];
    size_t answered, expected;
    bool timed_out;
    bool free_when_answered;
    bool cancel_others;
    char reason[MDNS_REASON_MAX];
    bool is_local;
    enum ota_cause lack;
    int bus; /* listening; -1 */
    char directory[64];
};

static void use_bus(const char *path)
{
    char address[128];
    snprintf(address, sizeof address, "unix:path=%s", path);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
}

/* listen: there is a bus that never answers. */
static void set_up_mdns_client(struct scene *scene, bool listens)
{
    *scene = (struct scene){.loop = loop_new(), .bus = -1, .directory = "/tmp/test-mdns-XXXXXX"};
    assert_non_null(mkdtemp(scene->directory));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.60s/bus", scene->directory);
    use_bus(address.sun_path);
    if (listens) {
        scene->bus = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(scene->bus, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(scene->bus, 0), 0);
    }
    scene->mdns = mdns_client_new(scene->loop);
    assert_non_null(scene->mdns);
}

static void tear_down_mdns_client(struct scene *scene)
{
    char path[80];

    mdns_client_free(scene->mdns);
    loop_free(scene->loop);
    if (scene->bus >= 0)
        close(scene->bus);
    snprintf(path, sizeof path, "%s/bus", scene->directory);
    unlink(path);
    assert_int_equal(rmdir(scene->directory), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void on_client_deadline(void *userdata)
{
    struct scene *scene = userdata;
    scene->timed_out = true;
    loop_quit(scene->loop);
}

/* Runs the loop until everything expected has been answered, or for us; returns how long. */
static int64_t run_client_for(struct scene *scene, int64_t us)
{
    int64_t start_us = loop_now_us();
    scene->timed_out = false;
    loop_timer_init(&scene->timeout, scene->loop, on_client_deadline, scene);
    loop_timer_start(&scene->timeout, us);
    assert_int_equal(loop_run(scene->loop), 0);
    loop_timer_stop(&scene->timeout);
    return loop_now_us() - start_us;
}

static void on_client_answer(const struct mdns_answer *answer, void *userdata)
{
    struct scene *scene = userdata;

    assert_int_equal(answer->event, MDNS_UNAVAILABLE);
    assert_true(memchr(answer->reason, '\0', sizeof answer->reason) != NULL);
    snprintf(scene->reason, sizeof scene->reason, "%s", answer->reason);
    scene->is_local = answer->is_local;
    scene->lack = answer->lack;
    scene->answered++;
    if (scene->cancel_others)
        for (size_t i = 1; i < QUERIES_MAX; i++)
            if (scene->queries[i])
                mdns_client_cancel(scene->queries[i]);
    if (scene->free_when_answered) {
        mdns_client_free(scene->mdns);
        scene->mdns = NULL;
    }
    if (scene->answered == scene->expected)
        loop_quit(scene->loop);
}

static void ask_client(struct scene *scene, size_t count)
{
    scene->expected = scene->answered + count;
    for (size_t i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "board-%zu.local", i);
        scene->queries[i] =
            mdns_client_ask(scene->mdns, MDNS_HOST, 0, name, on_client_answer, scene);
        assert_non_null(scene->queries[i]);
    }
}

static void assert_bus_is_untouched(const struct scene *scene)
{
    assert_int_equal(fcntl(scene->bus, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(accept(scene->bus, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
}

static void test_costs_nothing_unasked(void **state)
{
    struct scene scene;
    (void)state;
    set_up_mdns_client(&scene, true);
    run_client_for(&scene, 50 * MS);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_bus_is_untouched(&scene);
    tear_down_mdns_client(&scene);
}

static void test_no_bus_is_known_at_once(void **state)
{
    struct scene scene;
    (void)state;
    set_up_mdns_client(&scene, false);
    ask_client(&scene, 3);
    assert_int_equal(scene.answered, 0); /* never from within mdns_client_ask() */
    assert_true(run_client_for(&scene, DEADLINE_US) < DEADLINE_US);
    assert_int_equal(scene.answered, 3);
    assert_non_null(strstr(scene.reason, "bus cannot be reached"));

    /* The next question tries anew. */
    ask_client(&scene, 1);
    run_client_for(&scene, DEADLINE_US);
    assert_int_equal(scene.answered, 4);
    tear_down_mdns_client(&scene);
}

/* The kernel first reports the requests that the child has left unread, then delivers the child's
 * output: ECONNRESET, once. */
static void test_reason_of_a_child_that_has_ended(void **state)
{
    struct scene scene;
    siginfo_t ended;
    (void)state;

    set_up_mdns_client(&scene, false);
    assert_int_equal(pthread_atfork(NULL, NULL, wait_at_gate), 0);
    assert_int_equal(pipe(gate), 0);
    ask_client(&scene, 3); /* which are sent before the child begins */
    close(gate[1]);
    assert_int_equal(waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT), 0);
    close(gate[0]);
    gate[0] = gate[1] = -1;
    run_client_for(&scene, DEADLINE_US);
    assert_int_equal(scene.answered, 3);
    assert_false(scene.is_local);
    assert_non_null(strstr(scene.reason, "bus cannot be reached"));
    tear_down_mdns_client(&scene);
}

/* libdbus itself would wait for 25 seconds. */
static void test_hung_bus(void **state)
{
    struct scene scene;
    (void)state;

    set_up_mdns_client(&scene, true);
    ask_client(&scene, 2);
    int64_t took_us = run_client_for(&scene, DEADLINE_US);
    assert_in_range(took_us, 1900 * MS, DEADLINE_US);
    assert_int_equal(scene.answered, 2);
    assert_non_null(strstr(scene.reason, "does not answer"));
    tear_down_mdns_client(&scene);
}

/* Here even connect(2) blocks. */
static void test_bus_with_a_full_queue(void **state)
{
    struct scene scene;
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int clients[8];
    size_t count = 0;
    (void)state;

    set_up_mdns_client(&scene, true);
    assert_int_equal(getsockname(scene.bus, (struct sockaddr *)&address, &length), 0);
    for (;; count++) {
        assert_true(count < sizeof clients / sizeof *clients);
        clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(clients[count], (struct sockaddr *)&address, length) < 0)
            break;
    }
    assert_int_equal(errno, EAGAIN);
    ask_client(&scene, 1);
    assert_in_range(run_client_for(&scene, DEADLINE_US), 1900 * MS, DEADLINE_US);
    assert_int_equal(scene.answered, 1);
    for (size_t i = 0; i <= count; i++)
        close(clients[i]);
    tear_down_mdns_client(&scene);
}

/* More questions than the socket to the child takes, while the child reads nothing. */
static void test_many_questions_to_a_hung_bus(void **state)
{
    struct scene scene;
    (void)state;

    set_up_mdns_client(&scene, true);
    ask_client(&scene, QUERIES_MAX);
    for (size_t i = 0; i < QUERIES_MAX; i += 2)
        mdns_client_cancel(scene.queries[i]);
    scene.expected = QUERIES_MAX / 2;
    assert_in_range(run_client_for(&scene, DEADLINE_US), 1900 * MS, DEADLINE_US);
    assert_int_equal(scene.answered, QUERIES_MAX / 2);
    tear_down_mdns_client(&scene);
}

static void test_canceled_questions_are_silent(void **state)
{
    struct scene scene;
    (void)state;

    set_up_mdns_client(&scene, false);
    ask_client(&scene, 2);
    mdns_client_cancel(scene.queries[0]);
    mdns_client_cancel(scene.queries[1]);
    run_client_for(&scene, 300 * MS);
    assert_true(scene.timed_out);
    assert_int_equal(scene.answered, 0);
    tear_down_mdns_client(&scene);
}

static void test_cancel_others_from_an_answer(void **state)
{
    struct scene scene;
    (void)state;

    set_up_mdns_client(&scene, false);
    ask_client(&scene, 5);
    scene.cancel_others = true;
    scene.expected = 1;
    run_client_for(&scene, DEADLINE_US);
    assert_int_equal(scene.answered, 1);
    run_client_for(&scene, 50 * MS);
    assert_int_equal(scene.answered, 1);
    tear_down_mdns_client(&scene);
}

static void test_free_from_an_answer(void **state)
{
    struct scene scene;
    (void)state;

    set_up_mdns_client(&scene, false);
    ask_client(&scene, 3);
    scene.free_when_answered = true;
    scene.expected = 1;
    run_client_for(&scene, DEADLINE_US);
    run_client_for(&scene, 50 * MS);
    assert_int_equal(scene.answered, 1);
    tear_down_mdns_client(&scene);
}

static void test_free_client_while_asking(void **state)
{
    struct scene scene;
    (void)state;
    set_up_mdns_client(&scene, true);
    ask_client(&scene, 3);
    int64_t start_us = loop_now_us();
    tear_down_mdns_client(&scene); /* also sees that the child is gone */
    assert_true(loop_now_us() - start_us < DEADLINE_US);
}

static void test_client_no_process(void **state)
{
    struct scene scene;
    (void)state;

    set_up_mdns_client(&scene, false);
    failing_start(FAILING_FORK, 0, EAGAIN);
    ask_client(&scene, 2);
    failing_stop();
    run_client_for(&scene, DEADLINE_US);
    assert_int_equal(scene.answered, 2);
    assert_non_null(
        strstr(scene.reason, "no process can be started to ask: Resource temporarily unavailable"));
    tear_down_mdns_client(&scene);
}

static void test_client_no_memory(void **state)
{
    int made = 0;
    (void)state;

    for (bool has_failed = true; has_failed; made++) {
        struct loop *loop = loop_new();
        assert_non_null(loop);
        failing_start(FAILING_ALLOCATION, made, ENOMEM);
        struct mdns_client *mdns = mdns_client_new(loop);
        has_failed = failing_stop();
        assert_int_equal(mdns == NULL, has_failed);
        mdns_client_free(mdns);
        mdns_client_free(NULL);
        loop_free(loop);
    }
    assert_true(made > 1);
}

/* The parent's calls come first, then the child has them before it: every question is answered, and
 * what this computer lacks is not said of the network. */
static void test_client_failed_calls(void **state)
{
    static const struct {
        enum failing_call call;
        int error, tries;
    } rows[] = {{FAILING_ALLOCATION, ENOMEM, 16}, {FAILING_SOCKETPAIR, EMFILE, 1},
                {FAILING_EPOLL_CTL, ENOSPC, 1},   {FAILING_SEND, EAGAIN, 2},
                {FAILING_SEND, EINTR, 1},         {FAILING_SEND, ENOBUFS, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int after = 0; after < rows[i].tries; after++) {
            struct scene scene;
            set_up_mdns_client(&scene, false);
            scene.expected = 1;
            failing_start(rows[i].call, after, rows[i].error);
            struct mdns_query *query =
                mdns_client_ask(scene.mdns, MDNS_HOST, 0, "a.local", on_client_answer, &scene);
            bool has_failed = failing_stop();
            if (!query)
                assert_true(has_failed && rows[i].error == ENOMEM && after == 0);
            else
                assert_true(run_client_for(&scene, DEADLINE_US) < DEADLINE_US);
            assert_int_equal(scene.answered, query != NULL);
            if (query)
                assert_int_equal(scene.is_local, !strstr(scene.reason, "bus cannot be reached"));
            if (rows[i].call == FAILING_SOCKETPAIR || rows[i].call == FAILING_EPOLL_CTL)
                assert_int_equal(scene.lack, OTA_CAUSE_TOO_MANY_FILES);
            tear_down_mdns_client(&scene);
        }
    }
}

/* The child's output still arrives, or an error says that it cannot be read. ECONNRESET has a test
 * of its own: a child that has ended by now causes one, too. */
static void test_receiving_fails(void **state)
{
    static const struct {
        int error;
        bool is_told;
    } rows[] = {{EINTR, true}, {EAGAIN, true}, {EIO, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene;
        set_up_mdns_client(&scene, false);
        ask_client(&scene, 1);
        failing_start(FAILING_RECV, 0, rows[i].error);
        assert_true(run_client_for(&scene, DEADLINE_US) < DEADLINE_US);
        assert_true(failing_stop());
        assert_int_equal(scene.answered, 1);
        assert_int_equal(scene.is_local, !rows[i].is_told);
        assert_int_equal(strstr(scene.reason, "bus cannot be reached") != NULL, rows[i].is_told);
        tear_down_mdns_client(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_costs_nothing_unasked),
        cmocka_unit_test(test_no_bus_is_known_at_once),
        cmocka_unit_test(test_reason_of_a_child_that_has_ended),
        cmocka_unit_test(test_hung_bus),
        cmocka_unit_test(test_bus_with_a_full_queue),
        cmocka_unit_test(test_many_questions_to_a_hung_bus),
        cmocka_unit_test(test_canceled_questions_are_silent),
        cmocka_unit_test(test_cancel_others_from_an_answer),
        cmocka_unit_test(test_free_from_an_answer),
        cmocka_unit_test(test_free_client_while_asking),
        cmocka_unit_test(test_client_no_process),
        cmocka_unit_test(test_client_no_memory),
        cmocka_unit_test(test_client_failed_calls),
        cmocka_unit_test(test_receiving_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
