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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PIPES = 3, CROWDED = 200, TURNS = 50, MANY = 1000, S = 1000000 };

static int set_up_loop(void **state)
{
    *state = loop_new();
    return *state ? 0 : -1;
}

static int tear_down_loop(void **state)
{
    loop_free(*state);
    return 0;
}

struct counter;

struct piped {
    struct counter *counter;
    struct loop_watch watch;
    int ends[2];
    int calls;
};

struct counter {
    struct loop *loop;
    struct loop_timer timer, other;
    struct piped pipes[CROWDED];
    int calls, other_calls;
    int order[8];
    int seen;
};

/* -- timers -- */

static void quit_when_due(void *userdata)
{
    struct counter *counter = userdata;

    counter->calls++;
    loop_quit(counter->loop);
}

static void run_loop_for(struct counter *counter, int64_t delay_us)
{
    loop_timer_init(&counter->timer, counter->loop, quit_when_due, counter);
    loop_timer_start(&counter->timer, delay_us);
    assert_int_equal(loop_run(counter->loop), 0);
}

static void test_timer_fires_once_and_not_early(void **state)
{
    struct counter counter = {.loop = *state};
    int64_t start_us = loop_now_us();

    run_loop_for(&counter, 20000);
    assert_true(loop_now_us() - start_us >= 20000);
    assert_int_equal(counter.calls, 1);
}

static void count_and_restart(void *userdata)
{
    struct counter *counter = userdata;
    struct loop_timer *next = ++counter->other_calls < 100 ? &counter->other : &counter->timer;

    loop_timer_start(next, 0);
}

static void test_timers_stop_and_start_again(void **state)
{
    struct counter counter = {.loop = *state};
    struct loop_timer never, zero = {.loop = NULL};

    loop_timer_init(&counter.timer, counter.loop, quit_when_due, &counter);
    loop_timer_start(&counter.timer, 60 * INT64_C(1000000));
    loop_timer_init(&counter.other, counter.loop, count_and_restart, &counter);
    loop_timer_start(&counter.other, 0);
    loop_timer_init(&never, counter.loop, quit_when_due, &counter);
    loop_timer_start(&never, 0);
    loop_timer_stop(&never);
    loop_timer_stop(&never);
    loop_timer_stop(&zero);

    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls, 1);         /* the stopped one did not quit as well */
    assert_int_equal(counter.other_calls, 100); /* one that its own callback starts fires again */
}

/* Many timers are compared with a plain list. */
struct crowd {
    struct loop *loop;
    struct member {
        struct crowd *crowd;
        struct loop_timer timer;
        int64_t due_us; /* negative: stopped */
    } members[MANY];
    int64_t last_us; /* when the one before was due */
    int running;
    uint32_t random; /* the same numbers in each run */
};

static int crowd_random(struct crowd *crowd, uint32_t limit)
{
    crowd->random = crowd->random * 1664525 + 1013904223;
    return (int)(crowd->random / 65536 % limit);
}

static void on_member(void *userdata)
{
    struct member *member = userdata;
    struct crowd *crowd = member->crowd;
    struct member *victim = &crowd->members[crowd_random(crowd, MANY)];

    assert_true(member->due_us >= crowd->last_us);
    assert_true(loop_now_us() >= member->due_us);
    crowd->last_us = member->due_us;
    member->due_us = -1;
    crowd->running--;

    if (victim->due_us >= 0 && crowd_random(crowd, 4) == 0) {
        loop_timer_stop(&victim->timer);
        victim->due_us = -1;
        crowd->running--;
    }
    if (crowd->running == 0)
        loop_quit(crowd->loop);
}

static void test_crowd_in_order(void **state)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    assert_non_null(crowd);
    crowd->loop = *state;
    for (int i = 0; i < MANY; i++) {
        struct member *member = &crowd->members[i];
        member->crowd = crowd;
        loop_timer_init(&member->timer, crowd->loop, on_member, member);
    }
    for (int i = 0; i < 3 * MANY; i++) { /* most are started again before they fire */
        struct member *member = &crowd->members[crowd_random(crowd, MANY)];
        crowd->running += member->due_us <= 0;
        loop_timer_start(&member->timer, 20000 + crowd_random(crowd, 5000));
        member->due_us = member->timer.due_us;
    }
    for (int i = 0; i < MANY; i++)
        if (crowd->members[i].due_us == 0)
            crowd->members[i].due_us = -1;

    assert_int_equal(loop_run(crowd->loop), 0);
    assert_int_equal(crowd->running, 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(crowd->members[i].due_us, -1);
    free(crowd);
}

static void start_many(void *userdata)
{
    static struct loop_timer timers[MANY];
    struct counter *counter = userdata;

    for (int i = 0; i < MANY; i++) {
        loop_timer_init(&timers[i], counter->loop, quit_when_due, counter);
        loop_timer_start(&timers[i], 1000);
    }
}

static void test_starting_while_dispatching(void **state)
{
    struct counter counter = {.loop = *state};

    loop_timer_init(&counter.timer, counter.loop, start_many, &counter);
    loop_timer_start(&counter.timer, 0);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls, 1); /* quitting ends the turn */
}

static void test_waiting_costs_no_cpu(void **state)
{
    struct counter counter = {.loop = *state};
    struct rusage before, after;

    getrusage(RUSAGE_SELF, &before);
    run_loop_for(&counter, 300000);
    getrusage(RUSAGE_SELF, &after);
    int64_t used_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * INT64_C(1000000) +
                      after.ru_utime.tv_usec - before.ru_utime.tv_usec;
    assert_true(used_us < 150000); /* a loop that spins would use all of it */
}

/* -- watches -- */

static void open_pipes(struct counter *counter, int count, loop_watch_fn *on_ready)
{
    for (int i = 0; i < count; i++) {
        struct piped *piped = &counter->pipes[i];

        piped->counter = counter;
        assert_int_equal(pipe2(piped->ends, O_NONBLOCK), 0);
        assert_int_equal(write(piped->ends[1], "x", 1), 1);
        assert_int_equal(loop_watch_start(&piped->watch, counter->loop, piped->ends[0],
                                          LOOP_READABLE, on_ready, piped),
                         0);
    }
}

static void close_pipes(struct counter *counter, int count)
{
    for (int i = 0; i < count; i++) {
        loop_watch_stop(&counter->pipes[i].watch);
        close(counter->pipes[i].ends[0]);
        close(counter->pipes[i].ends[1]);
    }
}

/* Never reads: its file descriptor stays ready, as it does when a board floods us. */
static void stay_ready(unsigned events, void *userdata)
{
    struct piped *piped = userdata;

    assert_int_equal(events, LOOP_READABLE);
    if (++piped->calls == 50)
        loop_quit(piped->counter->loop);
}

static void test_every_ready_descriptor_has_its_turn(void **state)
{
    struct counter counter = {.loop = *state};

    open_pipes(&counter, PIPES, stay_ready);
    assert_int_equal(loop_run(counter.loop), 0);
    for (int i = 0; i < PIPES; i++)
        assert_in_range(counter.pipes[i].calls, 49, 50);
    close_pipes(&counter, PIPES);
}

static void count_call(unsigned events, void *userdata)
{
    (void)events;
    ((struct piped *)userdata)->calls++;
}

static void count_turn(void *userdata)
{
    struct counter *counter = userdata;

    if (++counter->other_calls == TURNS)
        loop_quit(counter->loop);
    else
        loop_timer_start(&counter->other, 0);
}

/* However many there are, from a few turns on; without memory for all of them, in turns. */
static void test_each_turn_serves_all_that_are_ready(void **state)
{
    struct counter counter = {.loop = *state};
    int least = TURNS;

    open_pipes(&counter, CROWDED, count_call);
    loop_timer_init(&counter.other, counter.loop, count_turn, &counter);
    loop_timer_start(&counter.other, 0);
    failing_start(FAILING_ALLOCATION, 0, ENOMEM);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_true(failing_stop());
    for (int i = 0; i < CROWDED; i++)
        if (counter.pipes[i].calls < least)
            least = counter.pipes[i].calls;
    assert_in_range(least, TURNS - 10, TURNS);
    close_pipes(&counter, CROWDED);
}

static void test_noisy_descriptor_delays_neither_timers_nor_others(void **state)
{
    struct counter counter = {.loop = *state};
    int64_t start_us = loop_now_us();

    open_pipes(&counter, 2, count_call);
    run_loop_for(&counter, 20000);
    assert_in_range(loop_now_us() - start_us, 20000, 60 * INT64_C(1000000));
    assert_int_equal(counter.pipes[0].calls, counter.pipes[1].calls);
    assert_true(counter.pipes[0].calls > 1);
    close_pipes(&counter, 2);
}

/* A deadline is judged only after everything that had arrived by then was read. */
static void note_calls_when_due(void *userdata)
{
    struct counter *counter = userdata;

    for (int i = 0; i < CROWDED; i++)
        counter->seen += counter->pipes[i].calls > 0;
    loop_quit(counter->loop);
}

static void start_deadline(struct counter *counter)
{
    loop_timer_init(&counter->timer, counter->loop, note_calls_when_due, counter);
    loop_timer_start(&counter->timer, 1);
    while (loop_now_us() <= counter->timer.due_us)
        ; /* it passes */
}

static void test_what_is_ready_comes_before_what_is_due(void **state)
{
    struct counter counter = {.loop = *state};

    open_pipes(&counter, CROWDED, count_call); /* more than a turn has room for at first */
    start_deadline(&counter);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.seen, CROWDED);
    close_pipes(&counter, CROWDED);
}

/* SIGCONT ends a wait with EINTR, after any time. */
static void test_a_stop_while_waiting(void **state)
{
    struct counter counter = {.loop = *state};

    open_pipes(&counter, 1, count_call);
    start_deadline(&counter);
    failing_start(FAILING_EPOLL_WAIT, 0, EINTR);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_true(failing_stop());
    assert_int_equal(counter.seen, 1);
    close_pipes(&counter, 1);
}

/* As if the process was stopped here: something arrives, and a deadline passes. */
static void stop_here(unsigned events, void *userdata)
{
    struct piped *self = userdata;

    count_call(events, self);
    loop_watch_change(&self->watch, 0);
    assert_int_equal(write(self->counter->pipes[1].ends[1], "x", 1), 1);
    start_deadline(self->counter);
}

static void test_a_stop_while_dispatching(void **state)
{
    struct counter counter = {.loop = *state};
    char byte;

    open_pipes(&counter, 2, count_call);
    assert_int_equal(read(counter.pipes[1].ends[0], &byte, 1), 1);
    counter.pipes[0].watch.on_ready = stop_here;
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.seen, 2);
    close_pipes(&counter, 2);
}

/* What was read is reported by a timer without a delay, after the callback that has read it. */
static void report_what_was_read(void *userdata)
{
    ((struct counter *)userdata)->other_calls++;
}

static void report_later(unsigned events, void *userdata)
{
    struct piped *self = userdata;

    count_call(events, self);
    assert_int_equal(self->counter->other_calls, 0);
    loop_timer_start(&self->counter->other, 0);
    assert_int_equal(self->counter->other_calls, 0);
}

static void note_reports_when_due(void *userdata)
{
    struct counter *counter = userdata;

    counter->seen = counter->other_calls;
    loop_quit(counter->loop);
}

/* Also if a turn has no room for all that are ready. */
static void test_what_was_read_is_reported_before_what_is_due(void **state)
{
    static const int crowds[] = {1, CROWDED};

    for (size_t i = 0; i < sizeof crowds / sizeof *crowds; i++) {
        struct counter counter = {.loop = *state};

        open_pipes(&counter, crowds[i], count_call);
        counter.pipes[0].watch.on_ready = report_later;
        loop_timer_init(&counter.other, counter.loop, report_what_was_read, &counter);
        loop_timer_init(&counter.timer, counter.loop, note_reports_when_due, &counter);
        loop_timer_start(&counter.timer, 0); /* the deadline has passed when the turn begins */
        assert_int_equal(loop_run(counter.loop), 0);
        assert_int_equal(counter.seen, 1);
        close_pipes(&counter, crowds[i]);
    }
}

/* The first callback stops the two others, which are ready in the same turn. */
static void stop_the_others(unsigned events, void *userdata)
{
    struct piped *self = userdata;
    struct counter *counter = self->counter;

    (void)events;
    self->calls++;
    for (int i = 0; i < PIPES; i++)
        if (&counter->pipes[i] != self)
            loop_watch_stop(&counter->pipes[i].watch);
    if (self->calls == 2)
        loop_quit(counter->loop);
}

static void test_stopping_while_dispatching(void **state)
{
    struct counter counter = {.loop = *state};

    open_pipes(&counter, PIPES, stop_the_others);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.pipes[0].calls + counter.pipes[1].calls + counter.pipes[2].calls, 2);
    close_pipes(&counter, PIPES);
}

/* Each callback frees its own owner, and another owner with a watch and a timer due in this
 * turn. */
struct owner {
    struct loop *loop;
    struct owner *other;
    struct loop_watch watch;
    struct loop_timer timer;
    int ends[2];
};
static int owners_left;

static void free_owner(struct owner *owner)
{
    loop_watch_stop(&owner->watch);
    loop_timer_stop(&owner->timer);
    close(owner->ends[0]);
    close(owner->ends[1]);
    if (owner->other)
        owner->other->other = NULL;
    free(owner);
    owners_left--;
}

static void free_both(struct owner *owner)
{
    struct loop *loop = owner->loop;

    if (owner->other)
        free_owner(owner->other);
    free_owner(owner);
    if (owners_left == 0)
        loop_quit(loop);
}

static void on_owner_ready(unsigned events, void *userdata)
{
    (void)events;
    free_both(userdata);
}

static void on_owner_due(void *userdata)
{
    free_both(userdata);
}

static struct owner *make_owner(struct loop *loop, bool is_ready)
{
    struct owner *owner = calloc(1, sizeof *owner);

    assert_non_null(owner);
    owner->loop = loop;
    assert_int_equal(pipe2(owner->ends, O_NONBLOCK), 0);
    if (is_ready)
        assert_int_equal(write(owner->ends[1], "x", 1), 1);
    assert_int_equal(
        loop_watch_start(&owner->watch, loop, owner->ends[0], LOOP_READABLE, on_owner_ready, owner),
        0);
    loop_timer_init(&owner->timer, loop, on_owner_due, owner);
    loop_timer_start(&owner->timer, 0);
    owners_left++;
    return owner;
}

static void test_freeing_while_dispatching(void **state)
{
    for (int is_ready = 0; is_ready < 2; is_ready++) {
        struct owner *owner = make_owner(*state, is_ready);
        owner->other = make_owner(*state, is_ready);
        owner->other->other = owner;
        assert_int_equal(loop_run(*state), 0);
        assert_int_equal(owners_left, 0);
    }
}

static void note_events(unsigned events, void *userdata)
{
    struct piped *piped = userdata;

    piped->counter->order[piped->counter->seen++] = (int)events;
    loop_watch_change(&piped->watch, 0);
}

static void test_changing_events(void **state)
{
    struct counter counter = {.loop = *state};
    struct piped *piped = &counter.pipes[0];

    open_pipes(&counter, 1, note_events);
    loop_watch_change(&piped->watch, 0);
    run_loop_for(&counter, 5000);
    assert_int_equal(counter.seen, 0);

    loop_watch_change(&piped->watch, LOOP_READABLE);
    run_loop_for(&counter, 5000);
    assert_int_equal(counter.seen, 1);
    assert_int_equal(counter.order[0], LOOP_READABLE);
    close_pipes(&counter, 1);
}

static void note_and_quit(unsigned events, void *userdata)
{
    note_events(events, userdata);
    loop_quit(((struct piped *)userdata)->counter->loop);
}

/* It would lose the running watch, which nobody could stop any more. */
static void test_a_running_watch_is_not_started_again(void **state)
{
    struct counter counter = {.loop = *state};
    struct piped *piped = &counter.pipes[0];

    open_pipes(&counter, 2, note_events);
    for (int i = 0; i < 2; i++) {
        const struct loop_watch before = piped->watch;

        errno = 0;
        assert_int_equal(loop_watch_start(&piped->watch, *state, counter.pipes[i].ends[0],
                                          LOOP_WRITABLE, note_events, NULL),
                         -1);
        assert_int_equal(errno, EEXIST);
        assert_memory_equal(&piped->watch, &before, sizeof before);
    }
    close_pipes(&counter, 2);
}

static void test_hang_up_and_room(void **state)
{
    struct counter counter = {.loop = *state};
    struct piped piped = {.counter = &counter};

    assert_int_equal(pipe2(piped.ends, O_NONBLOCK), 0);
    assert_int_equal(loop_watch_start(&piped.watch, counter.loop, piped.ends[1], LOOP_WRITABLE,
                                      note_and_quit, &piped),
                     0);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.order[0], LOOP_WRITABLE);

    close(piped.ends[0]);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.order[1], LOOP_HUNG_UP); /* also if nothing is waited for */
    loop_watch_stop(&piped.watch);
    close(piped.ends[1]);
}

/* epoll rejects regular files; poll(2) calls them ready at all times. */
static void test_regular_files_are_always_ready(void **state)
{
    struct counter counter = {.loop = *state};
    struct piped files[2];
    FILE *file = tmpfile();

    assert_non_null(file);
    for (int i = 0; i < 2; i++) {
        files[i] = (struct piped){.counter = &counter};
        assert_int_equal(loop_watch_start(&files[i].watch, counter.loop, fileno(file),
                                          LOOP_READABLE, count_call, &files[i]),
                         0);
    }
    run_loop_for(&counter, 1000);
    assert_true(files[0].calls > 0);
    assert_in_range(files[1].calls, files[0].calls - 1, files[0].calls + 1);

    int calls = files[0].calls;
    loop_watch_change(&files[0].watch, 0);
    loop_watch_stop(&files[1].watch);
    run_loop_for(&counter, 1000);
    assert_int_equal(files[0].calls, calls);
    loop_watch_stop(&files[0].watch);
    loop_watch_stop(&files[0].watch);
    (void)fclose(file);
}

static void stop_self(unsigned events, void *userdata)
{
    struct piped *piped = userdata;

    count_call(events, piped);
    loop_watch_stop(&piped->watch);
}

static void test_stopping_files_while_dispatching(void **state)
{
    struct counter counter = {.loop = *state};
    struct piped files[3];
    FILE *file = tmpfile();

    assert_non_null(file);
    for (int i = 0; i < 3; i++) {
        files[i] = (struct piped){.counter = &counter};
        assert_int_equal(loop_watch_start(&files[i].watch, counter.loop, fileno(file),
                                          LOOP_READABLE, stop_self, &files[i]),
                         0);
    }
    run_loop_for(&counter, 1000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(files[i].calls, 1);
    (void)fclose(file);
}

/* -- signals -- */

static void on_signal(int number, void *userdata)
{
    struct counter *counter = userdata;
    counter->order[counter->seen++] = number;
    if (counter->seen == 4)
        loop_quit(counter->loop);
}

static void raise_all(void *userdata)
{
    struct counter *counter = userdata;
    raise(SIGTERM);
    raise(SIGINT);
    raise(SIGHUP);
    raise(SIGQUIT);
    assert_int_equal(counter->seen, 0); /* not from within the handler */
}

static void test_signals_come_through_the_loop(void **state)
{
    struct counter counter = {.loop = *state};

    signal(SIGHUP, SIG_DFL); /* nohup(1) ignores it, and an ignored signal stays ignored */
    assert_int_equal(loop_catch_signals(counter.loop, on_signal, &counter), 0);
    loop_timer_init(&counter.timer, counter.loop, raise_all, &counter);
    loop_timer_start(&counter.timer, 0);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.order[0], SIGTERM);
    assert_int_equal(counter.order[1], SIGINT);
    assert_int_equal(counter.order[2], SIGHUP);
    assert_int_equal(counter.order[3], SIGQUIT);
}

/* The action of a signal: SIG_IGN, SIG_DFL, or a handler. */
static void (*handler_of(int number))(int)
{
    struct sigaction seen;
    sigaction(number, NULL, &seen);
    return seen.sa_handler;
}

static void on_status(void *userdata)
{
    struct counter *counter = userdata;
    counter->calls++;
    loop_quit(counter->loop);
}

static void raise_status(void *userdata)
{
    (void)userdata;
    raise(SIGUSR1);
}

/* Also if it was ignored before, and also outside of loop_run(). */
static void test_status(void **state)
{
    int ends[2];
    struct counter counter = {.loop = *state};

    signal(SIGUSR1, SIG_IGN);
    assert_int_equal(loop_catch_status(counter.loop, on_status, &counter), 0);
    assert_int_equal(loop_catch_signals(counter.loop, on_signal, &counter), 0);
    loop_timer_init(&counter.timer, counter.loop, raise_status, NULL);
    loop_timer_start(&counter.timer, 0);
    assert_int_equal(loop_run(counter.loop), 0);
    assert_int_equal(counter.calls, 1);

    assert_int_equal(pipe(ends), 0);
    raise(SIGUSR1);
    assert_false(loop_wait_readable(counter.loop, ends[0], 1000));
    assert_int_equal(counter.calls, 2);
    assert_int_equal(write(ends[1], "x", 1), 1);
    raise(SIGUSR1);
    assert_true(loop_wait_readable(counter.loop, ends[0], 60000000));
    assert_int_equal(counter.calls, 3);
    close(ends[0]);
    close(ends[1]);

    loop_free(counter.loop);
    *state = NULL;
    assert_ptr_equal(handler_of(SIGUSR1), SIG_IGN);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_DFL);
}

enum { REAL_TIME = 40 }; /* not 64, which valgrind keeps for itself */

static void test_ignored_signals_stay_ignored_and_handlers_come_back(void **state)
{
    static const int caught[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR2, SIGXCPU, REAL_TIME};
    struct counter counter = {.loop = NULL};

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

static void own_handler(int number)
{
    (void)number;
}

/* A profiler has one for SIGPROF. */
static void test_handlers_of_others_stay(void **state)
{
    struct counter counter = {.loop = *state};

    signal(SIGPROF, own_handler);
    assert_int_equal(loop_catch_signals(counter.loop, on_signal, &counter), 0);
    assert_ptr_equal(handler_of(SIGPROF), own_handler);
    loop_free(counter.loop);
    *state = NULL;
    assert_ptr_equal(handler_of(SIGPROF), own_handler);
    signal(SIGPROF, SIG_DFL);
}

/* Also if the signal is ignored or caught. */
static void test_dies_of_the_signal_without_a_core_dump(void **state)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR2, SIGXCPU, REAL_TIME};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
            setrlimit(RLIMIT_CORE, &unlimited);
            signal(numbers[i], SIG_IGN);
            loop_die_of(numbers[i]);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[i]);
        assert_false(WCOREDUMP(status));
    }
}

static void test_ends_with_the_status_of_a_blocked_signal(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        loop_die_of(SIGTERM);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
}

static void ignore_signal(int number, void *userdata)
{
    (void)number;
    (void)userdata;
}

/* -- failures -- */

static void test_waiting_that_fails(void **state)
{
    static const struct {
        int error, expected, calls;
    } rows[] = {{EINTR, 0, 1}, {ENOMEM, -1, 0}};
    struct counter counter = {.loop = *state};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        counter.calls = 0;
        loop_timer_init(&counter.timer, counter.loop, quit_when_due, &counter);
        loop_timer_start(&counter.timer, 1000);
        failing_start(FAILING_EPOLL_WAIT, 0, rows[i].error);
        assert_int_equal(loop_run(counter.loop), rows[i].expected);
        assert_true(failing_stop());
        assert_int_equal(counter.calls, rows[i].calls);
        loop_timer_stop(&counter.timer);
    }
}

static void run_out(void *userdata)
{
    (void)userdata;
    errno = ENOMEM;
}

/* A library has silently dropped a message. */
static void test_end_without_memory(void **state)
{
    struct counter counter = {.loop = *state};

    loop_timer_init(&counter.other, counter.loop, run_out, NULL);
    loop_timer_start(&counter.other, 0);
    run_loop_for(&counter, 1000);
    assert_int_equal(counter.calls, 1);

    loop_end_without_memory(counter.loop);
    loop_timer_start(&counter.other, 0);
    loop_timer_start(&counter.timer, 60000000);
    assert_int_equal(loop_run(counter.loop), -1);
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(counter.calls, 1);
}

/* A failed start leaves nothing behind. */
static void test_beginnings_that_fail(void **state)
{
    struct loop *loop = *state;
    struct piped piped = {.counter = NULL};
    int before = failing_count_open();

    failing_start(FAILING_ALLOCATION, 0, ENOMEM);
    assert_null(loop_new());
    assert_true(failing_stop());
    failing_start(FAILING_EPOLL_CREATE, 0, EMFILE);
    assert_null(loop_new());
    assert_int_equal(errno, EMFILE);
    assert_true(failing_stop());

    failing_start(FAILING_EPOLL_CTL, 0, ENOSPC);
    assert_int_equal(
        loop_watch_start(&piped.watch, loop, STDIN_FILENO, LOOP_READABLE, count_call, &piped), -1);
    assert_int_equal(errno, ENFILE); /* no disk is full */
    assert_true(failing_stop());
    loop_watch_stop(&piped.watch);
    assert_int_equal(piped.calls, 0);

    failing_start(FAILING_PIPE2, 0, EMFILE);
    assert_int_equal(loop_catch_signals(loop, ignore_signal, NULL), -1);
    assert_int_equal(errno, EMFILE);
    assert_true(failing_stop());
    assert_int_equal(failing_count_open(), before);

    failing_start(FAILING_EPOLL_CTL, 0, ENOMEM);
    assert_int_equal(loop_catch_signals(loop, ignore_signal, NULL), -1);
    assert_true(failing_stop());
    assert_ptr_equal(handler_of(SIGTERM), SIG_DFL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up_loop, tear_down_loop)

/* The signals that the loop catches. */
static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

int main(void)
{
    /* A shell starts background jobs with some of them ignored, and then none would come. */
    for (size_t n = 0; n < sizeof ending / sizeof *ending; n++)
        signal(ending[n], SIG_DFL);

    const struct CMUnitTest tests[] = {
        TEST(test_timer_fires_once_and_not_early),
        TEST(test_timers_stop_and_start_again),
        TEST(test_crowd_in_order),
        TEST(test_starting_while_dispatching),
        TEST(test_waiting_costs_no_cpu),
        TEST(test_every_ready_descriptor_has_its_turn),
        TEST(test_each_turn_serves_all_that_are_ready),
        TEST(test_noisy_descriptor_delays_neither_timers_nor_others),
        TEST(test_what_is_ready_comes_before_what_is_due),
        TEST(test_a_stop_while_waiting),
        TEST(test_a_stop_while_dispatching),
        TEST(test_what_was_read_is_reported_before_what_is_due),
        TEST(test_stopping_while_dispatching),
        TEST(test_freeing_while_dispatching),
        TEST(test_changing_events),
        TEST(test_a_running_watch_is_not_started_again),
        TEST(test_hang_up_and_room),
        TEST(test_regular_files_are_always_ready),
        TEST(test_stopping_files_while_dispatching),
        TEST(test_signals_come_through_the_loop),
        TEST(test_status),
        TEST(test_ignored_signals_stay_ignored_and_handlers_come_back),
        TEST(test_handlers_of_others_stay),
        TEST(test_dies_of_the_signal_without_a_core_dump),
        TEST(test_ends_with_the_status_of_a_blocked_signal),
        TEST(test_waiting_that_fails),
        TEST(test_end_without_memory),
        TEST(test_beginnings_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
