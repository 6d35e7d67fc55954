/*
 * test-restart_watch.c: when a board counts as gone and as back, in virtual time. The network is a
 * table.
 */
#include "boardlog/restart_watch.h"
#include "net/tcp_connect.h"
#include "support/outage_wraps.h"
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

enum { TICK_MS = 200, ATTEMPTS_MAX = 512, STOPPED_US = 3000000 };

struct tcp_connect {
    tcp_connect_done_fn *on_done;
    void *userdata;
    bool ended;
    bool freed;
};

/* script has a letter for each knock: answered, refused, silent, Unreachable at once, Out of
 * descriptors, out of Memory, no Network (this computer's own link is down), firewall forbids (P),
 * Z: answered, and then the program is stopped for 3 s, z: silent, and the same, Y: answered, and
 * then the computer is suspended, whose clock stands still, l: silent, as the link is down while
 * its route stays, d: answered 50 ms later, D: 150 ms later. The last letter is repeated. */
static struct network {
    const char *script;
    size_t knocks;
    int under_way;
    int most;
    int outages;                 /* that are watched */
    int64_t link_us, stopped_us; /* when they were last seen */
    struct tcp_connect *delayed; /* NULL: none is to be answered later */
    int64_t delayed_us;
    struct tcp_connect attempts[ATTEMPTS_MAX];
} network;

static const struct source wlan = {.interface = "wlan0"};

static struct result {
    int calls;
    enum restart_watch_result result;
    int64_t silent_ms;
    int64_t back_ms;
    int reason;
    struct restart_watch *watch; /* freed in the callback */
} result;

struct tcp_connect *__wrap_tcp_connect_start(struct loop *loop, const struct address *address,
                                             const struct source *source, int64_t deadline_us,
                                             tcp_connect_done_fn *on_done, void *userdata);
void __wrap_tcp_connect_free(struct tcp_connect *attempt);

struct tcp_connect *__wrap_tcp_connect_start(struct loop *loop, const struct address *address,
                                             const struct source *source, int64_t deadline_us,
                                             tcp_connect_done_fn *on_done, void *userdata)
{
    (void)loop;

    assert_int_equal(address_port(address), 23);
    assert_ptr_equal(source, &wlan);
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

void __wrap_outage_start(struct outage *outage, struct loop *loop, const struct address *address,
                         const struct source *source)
{
    (void)outage;
    assert_ptr_equal(loop, virtual_time_loop());
    assert_int_equal(address_port(address), 23);
    assert_ptr_equal(source, &wlan);
    network.outages++;
}

unsigned __wrap_outage_after(struct outage *outage, int64_t time_us)
{
    (void)outage;
    return (network.link_us > time_us ? OUTAGE_LINK : 0) |
           (network.stopped_us > time_us ? OUTAGE_STOP : 0);
}

void __wrap_outage_stop(struct outage *outage)
{
    (void)outage;
    network.outages = 0;
}

static int reason_of(char act)
{
    switch (act) {
    case 'r':
        return ECONNREFUSED;
    case 'U':
        return EHOSTUNREACH;
    case 'O':
        return EMFILE;
    case 'N':
        return ENETUNREACH;
    case 'P':
        return EPERM;
    case 'G':
        return ENODEV;
    case 'I':
        return EINVAL;
    default:
        return 0;
    }
}

/* Handles the last knock as the script says. */
static void answer_last_knock(void)
{
    struct tcp_connect *attempt = &network.attempts[network.knocks - 1];
    char act = *network.script;

    if (network.script[1] != '\0')
        network.script++;
    if (act == 'z')
        virtual_time.now_us += STOPPED_US;
    if (act == 'l')
        network.link_us = virtual_time.now_us + 1;
    if (act == 'd' || act == 'D') {
        network.delayed = attempt;
        network.delayed_us = virtual_time.now_us + (act == 'd' ? 50000 : 150000);
    }
    if (strchr("szlMdD", act))
        return;
    int reason = reason_of(act);
    int fd = reason == 0 ? socket(AF_INET, SOCK_STREAM, 0) : -1;
    attempt->on_done(fd, reason, attempt->userdata);
    assert_true(fd < 0 || close(fd) < 0); /* it must be closed already */
    if (act == 'Z')
        virtual_time.now_us += STOPPED_US;
    if (act == 'Y')
        network.stopped_us = virtual_time.now_us + 1;
}

/* Whether there is an answer before the timer is due. */
static bool answer_delayed_knock(void)
{
    struct tcp_connect *attempt = network.delayed;

    if (!attempt || network.delayed_us > virtual_time.due_us)
        return false;
    virtual_time.now_us = network.delayed_us;
    network.delayed = NULL;
    attempt->on_done(-1, ECONNREFUSED, attempt->userdata);
    return true;
}

static void on_watch_done(const struct restart_watch_report *report, void *userdata)
{
    (void)userdata;
    result.calls++;
    result.result = report->result;
    result.silent_ms = report->silent_us / 1000;
    result.back_ms = report->back_us / 1000;
    result.reason = report->reason;
    restart_watch_free(result.watch);
    result.watch = NULL;
}

static void begin_with(const struct restart_watch_config *given, const char *script)
{
    struct restart_watch_config config = *given;

    config.loop = virtual_time_loop();
    config.source = &wlan;
    virtual_time_reset(7000000);
    network = (struct network){.script = script, .link_us = INT64_MIN, .stopped_us = INT64_MIN};
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
    {"dssssD", RESTART_WATCH_BACK, 50, 1150},   /* more than a second, between two knocks */
    {"dsssDa", RESTART_WATCH_NEVER_GONE, 0, 0},
    {"Dssssda", RESTART_WATCH_NEVER_GONE, 0, 0},
    {"asasasas", RESTART_WATCH_STILL_GONE, 1200, 6000},
    {"a", RESTART_WATCH_NEVER_GONE, 0, 0},
    {"asssssssssssssssa", RESTART_WATCH_BACK, 0, 3200},
    {"aaaaaaaaaaaaaasssssssr", RESTART_WATCH_BACK, 2600, 4200}, /* a late restart */
    {"as", RESTART_WATCH_STILL_GONE, 0, 6000},
    {"asssssOMssr", RESTART_WATCH_BACK, 0, 2000},
    {"aNNNa", RESTART_WATCH_NEVER_GONE, 0, 0},      /* too short to hide a restart */
    {"aZssssssr", RESTART_WATCH_BACK, 200, 1800},   /* a restart after the stop */
    {"alasssssssr", RESTART_WATCH_BACK, 400, 2000}, /* and after the link was down */
    /* This computer's trouble is not the board's absence, but may hide it. */
    {"aOOOOOOOOOOa", RESTART_WATCH_UNSEEN, 0, 0},
    {"aMMMMMMMMMMa", RESTART_WATCH_UNSEEN, 0, 0},
    {"asssOsssa", RESTART_WATCH_UNSEEN, 0, 0},
    {"aNNNNNNNNNNa", RESTART_WATCH_UNSEEN, 0, 0},
    {"aPPPPPPPPPPa", RESTART_WATCH_UNSEEN, 0, 0},
    {"aGGGGGGGGGGa", RESTART_WATCH_UNSEEN, 0, 0}, /* the interface of -I is gone for a while */
    {"aIIIIIIIIIIa", RESTART_WATCH_UNSEEN, 0, 0}, /* a route discards it */
    {"asssNsssa", RESTART_WATCH_UNSEEN, 0, 0},
    {"asssssNNa", RESTART_WATCH_UNSEEN, 0, 0}, /* the link failed before its route did */
    {"aNsssssssssa", RESTART_WATCH_UNSEEN, 0, 0},
    {"alllllllla", RESTART_WATCH_UNSEEN, 0, 0},
    {"asssssssla", RESTART_WATCH_UNSEEN, 0, 0},
    {"alsssssssssa", RESTART_WATCH_UNSEEN, 0, 0}, /* a switch does not forward yet */
    {"aZa", RESTART_WATCH_UNSEEN, 0, 0},          /* nobody has watched */
    {"aza", RESTART_WATCH_UNSEEN, 0, 0},
    {"aYa", RESTART_WATCH_UNSEEN, 0, 0},
};

/* At the deadline, after a second or more of errors of this computer, nothing is known. */
static const struct {
    const char *script;
    enum restart_watch_result result;
    int reason;
} blind_rows[] = {
    {"O", RESTART_WATCH_BLIND, EMFILE},
    {"M", RESTART_WATCH_BLIND, ENOMEM},
    {"N", RESTART_WATCH_BLIND, ENETUNREACH},
    {"aaaN", RESTART_WATCH_BLIND, ENETUNREACH},
    {"asssssssN", RESTART_WATCH_BLIND, ENETUNREACH}, /* it may have come back unseen */
    {"OOOOOOOs", RESTART_WATCH_STILL_GONE, 0},
    {"aNNNNNNNNNNNNNNNNNNNNNNNNNNNNa", RESTART_WATCH_UNSEEN, 0},
    {"al", RESTART_WATCH_BLIND, ENETDOWN},
    {"allllllls", RESTART_WATCH_STILL_GONE, 0},
};

static void play_watch(void)
{
    while (result.calls == 0) {
        size_t knocks = network.knocks;
        if (answer_delayed_knock())
            continue;
        virtual_time_fire();
        if (network.knocks > knocks)
            answer_last_knock();
    }
}

static void test_watch_table(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin_watch(rows[i].script, 3000, 6000);
        play_watch();
        if (result.result != rows[i].result)
            fail_msg("%s: %d", rows[i].script, (int)result.result);
        if (rows[i].result == RESTART_WATCH_BACK || rows[i].result == RESTART_WATCH_STILL_GONE) {
            assert_int_equal(result.silent_ms, rows[i].silent_ms);
            assert_int_equal(result.back_ms, rows[i].back_ms);
        }
        assert_int_equal(result.calls, 1);
        assert_int_equal(network.under_way, 0);
        assert_true(network.most <= 5);
        assert_true(virtual_time.due_us < 0);
    }
}

static void test_watch_from_a_blind_computer(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof blind_rows / sizeof *blind_rows; i++) {
        begin_watch(blind_rows[i].script, 3000, 6000);
        play_watch();
        if (result.result != blind_rows[i].result)
            fail_msg("%s: %d", blind_rows[i].script, (int)result.result);
        if (result.result == RESTART_WATCH_BLIND)
            assert_int_equal(result.reason, blind_rows[i].reason);
    }
}

/* The watch ends as soon as it is clear that the board does not restart. */
static void test_a_board_that_stays_is_not_waited_for(void **state)
{
    (void)state;

    begin_watch("a", 3000, 60000);
    play_watch();
    assert_int_equal(result.result, RESTART_WATCH_NEVER_GONE);
    assert_in_range(result.back_ms, 3000, 3000 + TICK_MS);
}

/* The board was silent before the start, so its first answer is its return. */
static void test_gone_already(void **state)
{
    static const struct {
        const char *script;
        enum restart_watch_result result;
    } cases[] = {{"a", RESTART_WATCH_BACK},
                 {"sssr", RESTART_WATCH_BACK},
                 {"s", RESTART_WATCH_STILL_GONE},
                 {"NNNa", RESTART_WATCH_UNSEEN}};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_with(
            &(struct restart_watch_config){.is_gone = true, .leave_us = 1, .deadline_us = 6000000},
            cases[i].script);
        play_watch();
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
        assert_int_equal(network.outages, 0);
        assert_true(virtual_time.due_us < 0);
    }
    restart_watch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch_table),
        cmocka_unit_test(test_watch_from_a_blind_computer),
        cmocka_unit_test(test_a_board_that_stays_is_not_waited_for),
        cmocka_unit_test(test_gone_already),
        cmocka_unit_test(test_freed_at_any_time),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
