/*
 * test-restart_watch.c: when a board counts as gone and as back, in virtual time. The network is a
 * table.
 */
#include "boardlog/restart_watch.h"
#include "net/tcp_connect.h"
#include "support/virtual_time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { TICK_MS = 200, ATTEMPTS_MAX = 512 };

struct tcp_connect {
    tcp_connect_done_fn *on_done;
    void *userdata;
    bool ended;
    bool freed;
};

/* script has a letter for each knock: answered, refused, silent, Unreachable at once, Out of
 * descriptors, out of Memory. The last letter is repeated. */
static struct network {
    const char *script;
    size_t knocks;
    int under_way;
    int most;
    struct tcp_connect attempts[ATTEMPTS_MAX];
} network;

static struct result {
    int calls;
    enum restart_watch_result result;
    int64_t silent_ms;
    int64_t back_ms;
    struct restart_watch *watch; /* freed in the callback */
} result;

struct tcp_connect *__wrap_tcp_connect_start(struct loop *loop, const struct address *address,
                                             int64_t deadline_us, tcp_connect_done_fn *on_done,
                                             void *userdata);
void __wrap_tcp_connect_free(struct tcp_connect *attempt);

struct tcp_connect *__wrap_tcp_connect_start(struct loop *loop, const struct address *address,
                                             int64_t deadline_us, tcp_connect_done_fn *on_done,
                                             void *userdata)
{
    (void)loop;

    assert_int_equal(address_port(address), 23);
    assert_int_equal(deadline_us, 1000000);
    assert_true(network.knocks < ATTEMPTS_MAX);
    struct tcp_connect *attempt = &network.attempts[network.knocks++];
    if (*network.script == 'M')
        return NULL;
    *attempt = (struct tcp_connect){.on_done = on_done, .userdata = userdata};
    if (++network.under_way > network.most)
        network.most = network.under_way;
    return attempt;
}

void __wrap_tcp_connect_free(struct tcp_connect *attempt)
{
    if (!attempt)
        return;
    assert_false(attempt->freed);
    attempt->freed = true;
    network.under_way--;
}

/* Handles the last knock as the script says. */
static void answer_last_knock(void)
{
    struct tcp_connect *attempt = &network.attempts[network.knocks - 1];
    char act = *network.script;

    if (network.script[1] != '\0')
        network.script++;
    if (act == 's' || act == 'M')
        return;
    int reason = act == 'r' ? ECONNREFUSED : act == 'U' ? EHOSTUNREACH : act == 'O' ? EMFILE : 0;
    int fd = reason == 0 ? socket(AF_INET, SOCK_STREAM, 0) : -1;
    attempt->on_done(fd, reason, attempt->userdata);
    assert_true(fd < 0 || close(fd) < 0); /* it must be closed already */
}

static void on_watch_done(enum restart_watch_result what, int64_t silent_us, int64_t back_us,
                          void *userdata)
{
    (void)userdata;
    result.calls++;
    result.result = what;
    result.silent_ms = silent_us / 1000;
    result.back_ms = back_us / 1000;
    restart_watch_free(result.watch);
    result.watch = NULL;
}

static void begin_with(const struct restart_watch_config *given, const char *script)
{
    struct restart_watch_config config = *given;

    config.loop = virtual_time_loop();
    virtual_time_reset(7000000);
    network = (struct network){.script = script};
    result = (struct result){.calls = 0};
    assert_true(address_parse(&config.address, "192.0.2.1"));
    address_set_port(&config.address, 23);
    result.watch = restart_watch_start(&config, on_watch_done, NULL);
}

static void begin_watch(const char *script, int64_t leave_ms, int64_t deadline_ms)
{
    begin_with(&(struct restart_watch_config){.leave_us = leave_ms * 1000,
                                              .deadline_us = deadline_ms * 1000},
               script);
}

static const struct {
    const char *script;
    enum restart_watch_result result;
    int64_t silent_ms;
    int64_t back_ms; /* time of the result */
} rows[] = {
    {"asssssa", RESTART_WATCH_BACK, 0, 1200},
    {"rrrsssssssr", RESTART_WATCH_BACK, 400, 2000},
    {"ssssssr", RESTART_WATCH_BACK, 0, 1200},   /* gone from the start */
    {"aUUUUUUUa", RESTART_WATCH_BACK, 0, 1600}, /* the network reports it unreachable */
    {"aassssa", RESTART_WATCH_BACK, 200, 1200}, /* exactly a second */
    {"aasssa", RESTART_WATCH_NEVER_GONE, 0, 0}, /* less than a second: lost packets */
    {"asasasas", RESTART_WATCH_STILL_GONE, 1200, 6000},
    {"a", RESTART_WATCH_NEVER_GONE, 0, 0},
    {"asssssssssssssssa", RESTART_WATCH_BACK, 0, 3200},
    {"aaaaaaaaaaaaaasssssssr", RESTART_WATCH_BACK, 2600, 4200}, /* a late restart */
    {"as", RESTART_WATCH_STILL_GONE, 0, 6000},
    {"aOOOOOOOOOOa", RESTART_WATCH_NEVER_GONE, 0, 0}, /* a local error is not an absence */
    {"aMMMMMMMMMMa", RESTART_WATCH_NEVER_GONE, 0, 0},
    {"asssOsssa", RESTART_WATCH_NEVER_GONE, 0, 0},
    {"asssssOMssr", RESTART_WATCH_BACK, 0, 2000},
};

static void test_watch_table(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin_watch(rows[i].script, 3000, 6000);
        while (result.calls == 0) {
            size_t knocks = network.knocks;
            virtual_time_fire();
            if (network.knocks > knocks)
                answer_last_knock();
        }
        if (result.result != rows[i].result)
            fail_msg("%s: %d", rows[i].script, (int)result.result);
        if (rows[i].result != RESTART_WATCH_NEVER_GONE) {
            assert_int_equal(result.silent_ms, rows[i].silent_ms);
            assert_int_equal(result.back_ms, rows[i].back_ms);
        }
        assert_int_equal(result.calls, 1);
        assert_int_equal(network.under_way, 0);
        assert_true(network.most <= 5);
        assert_true(virtual_time.due_us < 0);
    }
}

/* The watch ends as soon as it is clear that the board does not restart. */
static void test_a_board_that_stays_is_not_waited_for(void **state)
{
    (void)state;

    begin_watch("a", 3000, 60000);
    while (result.calls == 0) {
        size_t knocks = network.knocks;
        virtual_time_fire();
        if (network.knocks > knocks)
            answer_last_knock();
    }
    assert_int_equal(result.result, RESTART_WATCH_NEVER_GONE);
    assert_in_range(result.back_ms, 3000, 3000 + TICK_MS);
}

/* The board was silent before the start, so its first answer is its return. */
static void test_gone_already(void **state)
{
    static const struct {
        const char *script;
        enum restart_watch_result result;
    } cases[] = {
        {"a", RESTART_WATCH_BACK}, {"sssr", RESTART_WATCH_BACK}, {"s", RESTART_WATCH_STILL_GONE}};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_with(
            &(struct restart_watch_config){.is_gone = true, .leave_us = 1, .deadline_us = 6000000},
            cases[i].script);
        while (result.calls == 0) {
            size_t knocks = network.knocks;
            virtual_time_fire();
            if (network.knocks > knocks)
                answer_last_knock();
        }
        assert_int_equal(result.result, cases[i].result);
    }
}

static void test_freed_at_any_time(void **state)
{
    (void)state;

    for (int knocks = 0; knocks < 8; knocks++) {
        begin_watch("s", 3000, 6000);
        for (int i = 0; i < knocks; i++)
            virtual_time_fire();
        restart_watch_free(result.watch);
        assert_int_equal(network.under_way, 0);
        assert_true(virtual_time.due_us < 0);
    }
    restart_watch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch_table),
        cmocka_unit_test(test_a_board_that_stays_is_not_waited_for),
        cmocka_unit_test(test_gone_already),
        cmocka_unit_test(test_freed_at_any_time),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
