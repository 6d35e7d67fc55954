/*
 * test-loop.c: the event loop: order, fairness, freeing during dispatch, monotonic time, signals.
 */
#include "base/loop.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = loop_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    loop_free(*state);
    return 0;
}

struct counter {
    struct loop *loop;
    const AvahiPoll *api;
    AvahiTimeout *timeout;
    AvahiTimeout *other;
    AvahiWatch *watches[3];
    int pipes[3][2];
    int calls[3];
    int order[8];
    int seen;
    int number;
};

static void quit_on_timeout(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    struct counter *counter = userdata;
    counter->calls[0]++;
    loop_quit(counter->loop);
}

static void test_timeout_fires_once_and_not_early(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    int64_t start_us = loop_now_us();
    assert_int_equal(loop_arm(counter.api, &counter.timeout, 20000, quit_on_timeout, &counter), 0);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_true(loop_now_us() - start_us >= 19000); /* one millisecond for the wall clock's grain */
    assert_int_equal(counter.calls[0], 1);
}

static struct timeval given;
static const AvahiPoll *ours;

static void note_and_update(AvahiTimeout *timeout, const struct timeval *when)
{
    given = when ? *when : (struct timeval){0};
    ours->timeout_update(timeout, when);
}

/* Another loop behind Avahi's interface knows only the wall clock. */
static void test_arm_on_another_loop(void **state)
{
    struct counter counter = {.loop = *state};
    AvahiPoll other = *loop_poll_api(*state);
    struct timeval before;
    ours = loop_poll_api(*state);
    other.timeout_update = note_and_update;
    gettimeofday(&before, NULL);
    assert_int_equal(loop_arm(&other, &counter.timeout, 3600000000, quit_on_timeout, &counter), 0);
    assert_in_range(given.tv_sec - before.tv_sec, 3600, 3660);
    assert_in_range(given.tv_usec, 0, 999999);
    assert_int_equal(loop_arm(&other, &counter.timeout, -1, NULL, NULL), 0);
    assert_int_equal(given.tv_sec, 0);
    assert_int_equal(loop_arm(&other, &counter.timeout, 1000, NULL, NULL), 0);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls[0], 1);
}

static void count_and_rearm(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    struct counter *counter = userdata;
    AvahiTimeout **next = ++counter->calls[1] < 100 ? &counter->other : &counter->timeout;
    loop_arm(counter->api, next, 0, NULL, NULL);
}

static void test_timeouts_order_disarm_rearm(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    loop_arm(counter.api, &counter.timeout, 60 * INT64_C(1000000), quit_on_timeout, &counter);
    loop_arm(counter.api, &counter.other, 0, count_and_rearm, &counter);
    AvahiTimeout *never = NULL;
    loop_arm(counter.api, &never, 0, quit_on_timeout, &counter);
    loop_arm(counter.api, &never, -1, NULL, NULL);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls[0], 1);   /* the disarmed one did not quit as well */
    assert_int_equal(counter.calls[1], 100); /* a timeout armed in its own callback fires again */
}

static void test_wall_clock_deadline_in_the_past_is_now(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    struct timeval past = {.tv_sec = 1};
    assert_non_null(counter.api->timeout_new(counter.api, &past, quit_on_timeout, &counter));
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls[0], 1);
}

/* Every reading of the wall clock differs from the one before by wall_clock_jump_s. */
static long wall_clock_jump_s;
static unsigned wall_clock_readings;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc says __tv */
int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec + (wall_clock_readings++ % 2 ? wall_clock_jump_s : 0);
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

static void test_wall_clock_jumps_move_no_timeout(void **state)
{
    static const long jumps_s[] = {3600, -3600};
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    for (size_t i = 0; i < sizeof jumps_s / sizeof *jumps_s; i++) {
        wall_clock_jump_s = jumps_s[i];
        int64_t start_us = loop_now_us();
        loop_arm(counter.api, &counter.timeout, 20000, quit_on_timeout, &counter);
        loop_arm(counter.api, &counter.other, 10 * INT64_C(1000000), quit_on_timeout, &counter);
        assert_int_equal(loop_run(counter.loop), 0);
        assert_in_range(loop_now_us() - start_us, 20000, 9 * INT64_C(1000000));
    }
    wall_clock_jump_s = 0;
}

static void open_pipes(struct counter *counter)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pipe2(counter->pipes[i], O_NONBLOCK), 0);
        assert_int_equal(write(counter->pipes[i][1], "x", 1), 1);
    }
}

static void close_pipes(struct counter *counter)
{
    for (int i = 0; i < 3; i++) {
        close(counter->pipes[i][0]);
        close(counter->pipes[i][1]);
    }
}

static int index_of(const struct counter *counter, int fd)
{
    for (int i = 0; i < 3; i++)
        if (counter->pipes[i][0] == fd)
            return i;
    return -1;
}

/* Never reads: its descriptor stays ready, as a board's that floods us does. */
static void stay_ready(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *userdata)
{
    struct counter *counter = userdata;
    assert_int_equal(event, AVAHI_WATCH_IN);
    assert_int_equal(counter->api->watch_get_events(watch), AVAHI_WATCH_IN);
    if (++counter->calls[index_of(counter, fd)] == 50)
        loop_quit(counter->loop);
}

static void test_every_ready_descriptor_has_its_turn(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    open_pipes(&counter);
    for (int i = 0; i < 3; i++)
        counter.watches[i] = counter.api->watch_new(counter.api, counter.pipes[i][0],
                                                    AVAHI_WATCH_IN, stay_ready, &counter);
    assert_int_equal(loop_run(counter.loop), 0);
    for (int i = 0; i < 3; i++)
        assert_in_range(counter.calls[i], 49, 50);
    close_pipes(&counter);
}

static void stay_ready_for_ever(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *userdata)
{
    (void)watch;
    (void)event;
    struct counter *counter = userdata;
    counter->calls[index_of(counter, fd)]++;
}

static void quit_when_due(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    loop_quit(((struct counter *)userdata)->loop);
}

static void test_noisy_descriptor_delays_neither_timeouts_nor_others(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    open_pipes(&counter);
    for (int i = 0; i < 2; i++)
        counter.watches[i] = counter.api->watch_new(counter.api, counter.pipes[i][0],
                                                    AVAHI_WATCH_IN, stay_ready_for_ever, &counter);
    int64_t start_us = loop_now_us();
    loop_arm(counter.api, &counter.timeout, 20000, quit_when_due, &counter);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_in_range(loop_now_us() - start_us, 20000, 60 * INT64_C(1000000));
    assert_int_equal(counter.calls[0], counter.calls[1]);
    assert_true(counter.calls[0] > 1);
    close_pipes(&counter);
}

/* The first that is called frees the two others, which are ready in the same turn. */
static void free_the_others(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *userdata)
{
    (void)watch;
    (void)event;
    struct counter *counter = userdata;
    int self = index_of(counter, fd);
    counter->calls[self]++;
    for (int i = 0; i < 3; i++)
        if (i != self && counter->watches[i]) {
            counter->api->watch_free(counter->watches[i]);
            counter->watches[i] = NULL;
        }
    if (counter->calls[self] == 2)
        loop_quit(counter->loop);
}

static void test_freeing_while_dispatching(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    open_pipes(&counter);
    for (int i = 0; i < 3; i++)
        counter.watches[i] = counter.api->watch_new(counter.api, counter.pipes[i][0],
                                                    AVAHI_WATCH_IN, free_the_others, &counter);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls[0] + counter.calls[1] + counter.calls[2], 2);
    close_pipes(&counter);
}

static void test_update_to_no_events(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    open_pipes(&counter);
    AvahiWatch *watch = counter.api->watch_new(counter.api, counter.pipes[0][0], AVAHI_WATCH_IN,
                                               stay_ready, &counter);
    counter.api->watch_update(watch, 0);
    loop_arm(counter.api, &counter.timeout, 5000, quit_on_timeout, &counter);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls[0], 1); /* the timeout's, not the watch's */
    close_pipes(&counter);
}

static void add_many(AvahiTimeout *timeout, void *userdata)
{
    struct counter *counter = userdata;
    counter->api->timeout_free(timeout);
    for (int i = 0; i < 1000; i++) {
        AvahiTimeout *one = NULL;
        assert_int_equal(loop_arm(counter->api, &one, 1000, quit_on_timeout, counter), 0);
    }
}

static void test_growing_while_dispatching(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    AvahiTimeout *first = NULL;
    loop_arm(counter.api, &first, 0, add_many, &counter);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls[0], 1);
}

static void test_waiting_costs_no_cpu(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    struct rusage before, after;
    loop_arm(counter.api, &counter.timeout, 300000, quit_on_timeout, &counter);
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(loop_run(counter.loop), 0);
    getrusage(RUSAGE_SELF, &after);
    int64_t used_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * INT64_C(1000000) +
                      after.ru_utime.tv_usec - before.ru_utime.tv_usec;
    assert_true(used_us < 150000); /* a loop that spins would use all of it */
}

static void on_signal(int number, void *userdata)
{
    struct counter *counter = userdata;
    counter->order[counter->seen++] = number;
    if (counter->seen == 4)
        loop_quit(counter->loop);
}

static void raise_all(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    struct counter *counter = userdata;
    raise(SIGTERM);
    raise(SIGINT);
    raise(SIGHUP);
    raise(SIGQUIT);
    assert_int_equal(counter->seen, 0); /* not from within the handler */
}

static void test_signals_come_through_the_loop(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    signal(SIGHUP, SIG_DFL); /* nohup(1) ignores it, and what is ignored stays so */
    assert_int_equal(loop_catch_signals(counter.loop, on_signal, &counter), 0);
    loop_arm(counter.api, &counter.timeout, 0, raise_all, &counter);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.order[0], SIGTERM);
    assert_int_equal(counter.order[1], SIGINT);
    assert_int_equal(counter.order[2], SIGHUP);
    assert_int_equal(counter.order[3], SIGQUIT);
}

/* What happens on a signal: SIG_IGN, SIG_DFL, or else a handler. */
static void (*handler_of(int number))(int)
{
    struct sigaction seen;
    sigaction(number, NULL, &seen);
    return seen.sa_handler;
}

static void on_status(void *userdata)
{
    struct counter *counter = userdata;
    counter->calls[0]++;
    loop_quit(counter->loop);
}

static void raise_status(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    (void)userdata;
    raise(SIGUSR1);
}

/* Also where it was ignored before, and also outside of loop_run(). */
static void test_status(void **state)
{
    int ends[2];
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};

    signal(SIGUSR1, SIG_IGN);
    assert_int_equal(loop_catch_status(counter.loop, on_status, &counter), 0);
    assert_int_equal(loop_catch_signals(counter.loop, on_signal, &counter), 0);
    loop_arm(counter.api, &counter.timeout, 0, raise_status, &counter);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls[0], 1);

    assert_int_equal(pipe(ends), 0);
    raise(SIGUSR1);
    assert_false(loop_wait_readable(counter.loop, ends[0], 1000));
    assert_int_equal(counter.calls[0], 2);
    assert_int_equal(write(ends[1], "x", 1), 1);
    raise(SIGUSR1);
    assert_true(loop_wait_readable(counter.loop, ends[0], 60000000));
    assert_int_equal(counter.calls[0], 3);
    close(ends[0]);
    close(ends[1]);

    loop_free(counter.loop);
    *state = NULL;
    assert_ptr_equal(handler_of(SIGUSR1), SIG_IGN);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_DFL);
}

static void test_ignored_signals_stay_ignored_and_handlers_come_back(void **state)
{
    static const int caught[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    struct counter counter = {.api = NULL};
    loop_free(*state);
    *state = NULL;
    for (size_t row = 0; row < sizeof caught / sizeof *caught; row++) {
        struct loop *loop = loop_new();
        signal(caught[row], SIG_IGN);
        assert_int_equal(loop_catch_signals(loop, on_signal, &counter), 0);
        for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
            if (i == row)
                assert_ptr_equal(handler_of(caught[i]), SIG_IGN);
            else
                assert_true(handler_of(caught[i]) != SIG_IGN && handler_of(caught[i]) != SIG_DFL);
        loop_free(loop);
        for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
            assert_ptr_equal(handler_of(caught[i]), i == row ? SIG_IGN : SIG_DFL);
        signal(caught[row], SIG_DFL);
    }
}

/* Also where something ignores or catches the signal. */
static void test_dies_of_the_signal_without_a_core_dump(void **state)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
            setrlimit(RLIMIT_CORE, &unlimited);
            signal(numbers[i], SIG_IGN);
            loop_die_of(numbers[i]);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[i]);
        assert_false(WCOREDUMP(status));
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void ignore_signal(int number, void *userdata)
{
    (void)number;
    (void)userdata;
}

static void ignore_watch(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *userdata)
{
    (void)watch;
    (void)fd;
    (void)event;
    (void)userdata;
}

/* Whatever cannot be added leaves what is there as it was, which goes on. */
static void test_no_memory_left(void **state)
{
    enum { COUNT = 20 }; /* more than there is room for at first */
    int made = 0;
    (void)state;
    for (bool has_failed = true; has_failed; made++) {
        int before = failing_count_open(), missing = 0;
        failing_start(FAILING_ALLOCATION, made, ENOMEM);
        struct counter counter = {.loop = loop_new()};
        for (int i = 0; i < COUNT && counter.loop; i++) {
            AvahiTimeout *timeout = NULL;
            const AvahiPoll *api = loop_poll_api(counter.loop);
            missing += !api->watch_new(api, -1, AVAHI_WATCH_IN, ignore_watch, NULL);
            missing += loop_arm(api, &timeout, 0, quit_on_timeout, &counter) < 0;
        }
        if (counter.loop)
            missing += loop_catch_signals(counter.loop, ignore_signal, NULL) < 0;
        has_failed = failing_stop();
        assert_int_equal(counter.loop ? missing : 1, has_failed);
        if (counter.loop)
            assert_int_equal(loop_run(counter.loop), 0);
        assert_int_equal(counter.calls[0], counter.loop != NULL);
        loop_free(counter.loop);
        assert_int_equal(failing_count_open(), before);
    }
    assert_true(made > 2 * COUNT);
}

static void test_calls_that_fail(void **state)
{
    static const struct {
        int error, expected;
    } rows[] = {{EINTR, 0}, {ENOMEM, -1}};
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        loop_arm(counter.api, &counter.timeout, 1000, quit_on_timeout, &counter);
        failing_start(FAILING_POLL, 0, rows[i].error);
        assert_int_equal(loop_run(counter.loop), rows[i].expected);
        assert_true(failing_stop());
        assert_int_equal(counter.calls[0], 1);
    }
    int before = failing_count_open();
    failing_start(FAILING_PIPE2, 0, EMFILE);
    assert_int_equal(loop_catch_signals(counter.loop, ignore_signal, NULL), -1);
    assert_int_equal(errno, EMFILE);
    assert_true(failing_stop());
    assert_int_equal(failing_count_open(), before);
}

static void run_out(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    (void)userdata;
    errno = ENOMEM;
}

/* What a library has dropped without a word. */
static void test_end_without_memory(void **state)
{
    struct counter counter = {.loop = *state, .api = loop_poll_api(*state)};
    AvahiTimeout *lossy = NULL;
    loop_arm(counter.api, &lossy, 0, run_out, NULL);
    loop_arm(counter.api, &counter.timeout, 1000, quit_on_timeout, &counter);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls[0], 1);

    loop_end_without_memory(counter.loop);
    loop_arm(counter.api, &lossy, 0, run_out, NULL);
    loop_arm(counter.api, &counter.timeout, 60000000, quit_on_timeout, &counter);
    assert_int_equal(loop_run(counter.loop), -1);
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(counter.calls[0], 1);

    counter.api->timeout_update(NULL, NULL); /* as libavahi-client does then */
    counter.api->timeout_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_timeout_fires_once_and_not_early),
        TEST(test_timeouts_order_disarm_rearm),
        TEST(test_arm_on_another_loop),
        TEST(test_wall_clock_deadline_in_the_past_is_now),
        TEST(test_wall_clock_jumps_move_no_timeout),
        TEST(test_every_ready_descriptor_has_its_turn),
        TEST(test_noisy_descriptor_delays_neither_timeouts_nor_others),
        TEST(test_freeing_while_dispatching),
        TEST(test_update_to_no_events),
        TEST(test_growing_while_dispatching),
        TEST(test_waiting_costs_no_cpu),
        TEST(test_signals_come_through_the_loop),
        TEST(test_status),
        TEST(test_ignored_signals_stay_ignored_and_handlers_come_back),
        TEST(test_dies_of_the_signal_without_a_core_dump),
        TEST(test_no_memory_left),
        TEST(test_calls_that_fail),
        TEST(test_end_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
