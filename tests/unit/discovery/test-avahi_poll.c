/*
 * test-avahi_poll.c: AvahiPoll on the event loop, used as libdbus and libavahi-client use it.
 */
#include "discovery/avahi_poll.h"
#include "support/failing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TURNS = 3 };

/* The time of day in these tests. */
static const struct timeval now = {.tv_sec = 1000, .tv_usec = 900000};
static int64_t last_delay_us;

int __wrap_gettimeofday(struct timeval *time, void *zone);
void __real_loop_timer_start(struct loop_timer *timer, int64_t delay_us);
void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us);

int __wrap_gettimeofday(struct timeval *time, void *zone)
{
    (void)zone;
    *time = now;
    return 0;
}

void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us)
{
    last_delay_us = delay_us;
    __real_loop_timer_start(timer, delay_us);
}

struct fixture {
    struct loop *loop;
    struct avahi_poll *poll;
    const AvahiPoll *api;
    struct loop_timer turn;
    int turns_left;
    int ends[2]; /* the watches are of ends[0] */
    int open_count;
};

static void on_poll_turn(void *userdata)
{
    struct fixture *fixture = userdata;

    if (--fixture->turns_left > 0)
        loop_timer_start(&fixture->turn, 0);
    else
        loop_quit(fixture->loop);
}

static int set_up_poll(void **state)
{
    static struct fixture fixture;

    fixture.open_count = failing_count_open();
    fixture.loop = loop_new();
    fixture.poll = avahi_poll_new(fixture.loop);
    fixture.api = avahi_poll_api(fixture.poll);
    loop_timer_init(&fixture.turn, fixture.loop, on_poll_turn, &fixture);
    *state = &fixture;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fixture.ends);
}

/* No watch has left its duplicate open. */
static int tear_down_poll(void **state)
{
    struct fixture *fixture = *state;

    avahi_poll_free(fixture->poll);
    loop_free(fixture->loop);
    close(fixture->ends[0]);
    close(fixture->ends[1]);
    return failing_count_open() == fixture->open_count ? 0 : -1;
}

/* In each turn, everything that is ready is called back once. Turns without a due timer do not
 * count, so there may be more than count. */
static void run_turns(struct fixture *fixture, int count)
{
    fixture->turns_left = count;
    loop_timer_start(&fixture->turn, 0);
    assert_int_equal(loop_run(fixture->loop), 0);
}

/* -- watches -- */

struct seen {
    const AvahiPoll *api;
    AvahiWatch *watch; /* NULL: freed */
    int fd;
    int calls;
    AvahiWatchEvent events;
    bool frees_itself;
    struct seen *frees; /* the other watch, which its callback frees */
};

static void free_seen(struct seen *seen)
{
    if (seen->watch)
        seen->api->watch_free(seen->watch);
    seen->watch = NULL;
}

static void on_watch(AvahiWatch *watch, int fd, AvahiWatchEvent events, void *userdata)
{
    struct seen *seen = userdata;

    assert_ptr_equal(watch, seen->watch);
    assert_int_equal(fd, seen->fd);
    assert_int_equal(seen->api->watch_get_events(watch), events);
    seen->calls++;
    seen->events = events;

    if (seen->frees)
        free_seen(seen->frees);
    if (seen->frees_itself)
        free_seen(seen);
}

static void watch(struct fixture *fixture, struct seen *seen, AvahiWatchEvent events)
{
    seen->api = fixture->api;
    seen->fd = fixture->ends[0];
    seen->watch = fixture->api->watch_new(fixture->api, seen->fd, events, on_watch, seen);
    assert_non_null(seen->watch);
}

static void make_readable(const struct fixture *fixture)
{
    assert_int_equal(write(fixture->ends[1], "x", 1), 1);
}

static void test_two_watches_of_one_descriptor(void **state)
{
    struct fixture *fixture = *state;
    struct seen reader = {0}, writer = {0};

    watch(fixture, &reader, AVAHI_WATCH_IN);
    watch(fixture, &writer, AVAHI_WATCH_OUT);
    run_turns(fixture, TURNS);
    assert_int_equal(reader.calls, 0);
    assert_true(writer.calls >= TURNS);
    assert_int_equal(writer.events, AVAHI_WATCH_OUT);

    make_readable(fixture);
    writer.calls = 0;
    run_turns(fixture, TURNS);
    assert_true(reader.calls >= TURNS);
    assert_int_equal(reader.events, AVAHI_WATCH_IN);
    assert_int_equal(writer.calls, reader.calls);
    assert_int_equal(writer.events, AVAHI_WATCH_OUT);

    free_seen(&writer);
    reader.calls = writer.calls = 0;
    run_turns(fixture, TURNS);
    assert_true(reader.calls >= TURNS);
    assert_int_equal(writer.calls, 0);
    free_seen(&reader);
}

static void test_changed_events(void **state)
{
    struct fixture *fixture = *state;
    struct seen seen = {0};

    make_readable(fixture);
    watch(fixture, &seen, 0);
    assert_int_equal(fixture->api->watch_get_events(seen.watch), 0);
    run_turns(fixture, TURNS);
    assert_int_equal(seen.calls, 0);

    fixture->api->watch_update(seen.watch, AVAHI_WATCH_OUT);
    run_turns(fixture, 1);
    assert_int_equal(seen.events, AVAHI_WATCH_OUT);

    fixture->api->watch_update(seen.watch, AVAHI_WATCH_IN | AVAHI_WATCH_OUT);
    run_turns(fixture, 1);
    assert_int_equal(seen.events, AVAHI_WATCH_IN | AVAHI_WATCH_OUT);

    fixture->api->watch_update(seen.watch, 0);
    seen.calls = 0;
    run_turns(fixture, TURNS);
    assert_int_equal(seen.calls, 0);
    free_seen(&seen);
}

/* Avahi is told of a hang-up even if it waits for nothing. */
static void test_hang_up(void **state)
{
    struct fixture *fixture = *state;
    struct seen seen = {0};

    watch(fixture, &seen, AVAHI_WATCH_IN);
    shutdown(fixture->ends[1], SHUT_RDWR);
    run_turns(fixture, 1);
    assert_int_equal(seen.events, AVAHI_WATCH_IN | AVAHI_WATCH_HUP);

    fixture->api->watch_update(seen.watch, 0);
    run_turns(fixture, 1);
    assert_int_equal(seen.events, AVAHI_WATCH_HUP);
    free_seen(&seen);
}

static void test_watch_frees_itself(void **state)
{
    struct fixture *fixture = *state;
    struct seen seen = {.frees_itself = true};

    make_readable(fixture);
    watch(fixture, &seen, AVAHI_WATCH_IN);
    run_turns(fixture, TURNS);
    assert_int_equal(seen.calls, 1);
    assert_null(seen.watch);
}

/* Both are ready in the same turn; whichever comes first frees the other. */
static void test_watch_frees_the_other(void **state)
{
    struct fixture *fixture = *state;
    struct seen reader = {0}, writer = {0};

    make_readable(fixture);
    watch(fixture, &reader, AVAHI_WATCH_IN);
    watch(fixture, &writer, AVAHI_WATCH_OUT);
    reader.frees = &writer;
    writer.frees = &reader;
    run_turns(fixture, TURNS);

    assert_true(!reader.watch != !writer.watch);
    assert_true(reader.watch ? reader.calls >= TURNS : reader.calls == 0);
    assert_true(writer.watch ? writer.calls >= TURNS : writer.calls == 0);
    free_seen(&reader);
    free_seen(&writer);
}

static void test_watches_that_fail(void **state)
{
    static const struct {
        enum failing_call call;
        int error;
    } rows[] = {
        {FAILING_ALLOCATION, ENOMEM},
        {FAILING_FCNTL, EMFILE},
        {FAILING_EPOLL_CTL, ENOSPC},
    };
    struct fixture *fixture = *state;
    int open_count = failing_count_open();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        failing_start(rows[i].call, 0, rows[i].error);
        AvahiWatch *failed =
            fixture->api->watch_new(fixture->api, fixture->ends[0], AVAHI_WATCH_IN, on_watch, NULL);
        assert_true(failing_stop());
        assert_null(failed);
        assert_int_equal(failing_count_open(), open_count);
    }
    make_readable(fixture);
    run_turns(fixture, TURNS);
}

/* -- timeouts -- */

struct due {
    const AvahiPoll *api;
    AvahiTimeout *timeout; /* NULL: freed */
    int calls;
    bool frees_itself;
    struct loop *repeats_in; /* the callback sets it again for now, and quits at last */
};

static void on_timeout_due(AvahiTimeout *timeout, void *userdata)
{
    struct due *due = userdata;

    assert_ptr_equal(timeout, due->timeout);
    due->calls++;
    if (due->repeats_in)
        due->api->timeout_update(timeout, &now);
    if (due->repeats_in && due->calls == TURNS)
        loop_quit(due->repeats_in);
    if (due->frees_itself) {
        due->api->timeout_free(timeout);
        due->timeout = NULL;
    }
}

static void set_timeout(struct fixture *fixture, struct due *due, const struct timeval *when)
{
    due->api = fixture->api;
    due->timeout = fixture->api->timeout_new(fixture->api, when, on_timeout_due, due);
    assert_non_null(due->timeout);
}

/* The time of day may be set back and forth, so a timeout can lie far in the past. */
static void test_timeout_in_the_past(void **state)
{
    static const struct timeval times[] = {{1000, 900000}, {1000, 899999}, {999, 999999}, {0, 0}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct due due = {0};

        set_timeout(fixture, &due, &times[i]);
        assert_int_equal(last_delay_us, 0);
        assert_int_equal(due.calls, 0);
        run_turns(fixture, TURNS);
        assert_int_equal(due.calls, 1);
        fixture->api->timeout_free(due.timeout);
    }
}

static void test_timeout_in_the_future(void **state)
{
    static const struct {
        struct timeval when;
        int64_t delay_us;
    } rows[] = {
        {{1000, 900001}, 1},
        {{1001, 0}, 100000},
        {{1003, 100000}, 2200000},
        {{1000 + 86400, 900000}, INT64_C(86400000000)},
    };
    struct fixture *fixture = *state;
    struct due due = {0};

    set_timeout(fixture, &due, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture->api->timeout_update(due.timeout, &rows[i].when);
        assert_int_equal(last_delay_us, rows[i].delay_us);
    }
    run_turns(fixture, TURNS);
    assert_int_equal(due.calls, 0);
    fixture->api->timeout_free(due.timeout);
}

static void test_null_timeout(void **state)
{
    struct fixture *fixture = *state;
    struct due due = {0};

    set_timeout(fixture, &due, NULL);
    run_turns(fixture, TURNS);
    assert_int_equal(due.calls, 0);

    fixture->api->timeout_update(due.timeout, &now);
    fixture->api->timeout_update(due.timeout, NULL);
    run_turns(fixture, TURNS);
    assert_int_equal(due.calls, 0);

    fixture->api->timeout_update(due.timeout, &now);
    run_turns(fixture, TURNS);
    assert_int_equal(due.calls, 1);
    fixture->api->timeout_free(due.timeout);
}

/* libavahi-client passes on a timeout that could not be made. */
static void test_missing_timeout(void **state)
{
    struct fixture *fixture = *state;

    fixture->api->timeout_update(NULL, &now);
    fixture->api->timeout_update(NULL, NULL);
    fixture->api->timeout_free(NULL);
    run_turns(fixture, TURNS);
}

static void test_timeout_changes_itself(void **state)
{
    struct fixture *fixture = *state;
    struct due freed = {.frees_itself = true}, repeated = {.repeats_in = fixture->loop};

    set_timeout(fixture, &freed, &now);
    set_timeout(fixture, &repeated, &now);
    assert_int_equal(loop_run(fixture->loop), 0);
    assert_int_equal(freed.calls, 1);
    assert_null(freed.timeout);
    assert_int_equal(repeated.calls, TURNS);

    fixture->api->timeout_free(repeated.timeout);
    run_turns(fixture, TURNS);
    assert_int_equal(repeated.calls, TURNS);
}

static void test_allocations_that_fail(void **state)
{
    struct fixture *fixture = *state;

    failing_start(FAILING_ALLOCATION, 0, ENOMEM);
    AvahiTimeout *timeout = fixture->api->timeout_new(fixture->api, &now, on_timeout_due, NULL);
    assert_true(failing_stop());
    assert_null(timeout);
    run_turns(fixture, TURNS);

    failing_start(FAILING_ALLOCATION, 0, ENOMEM);
    struct avahi_poll *poll = avahi_poll_new(fixture->loop);
    assert_true(failing_stop());
    assert_null(poll);
    avahi_poll_free(NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up_poll, tear_down_poll)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_two_watches_of_one_descriptor),
        CASE(test_changed_events),
        CASE(test_hang_up),
        CASE(test_watch_frees_itself),
        CASE(test_watch_frees_the_other),
        CASE(test_watches_that_fail),
        CASE(test_timeout_in_the_past),
        CASE(test_timeout_in_the_future),
        CASE(test_null_timeout),
        CASE(test_missing_timeout),
        CASE(test_timeout_changes_itself),
        CASE(test_allocations_that_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
