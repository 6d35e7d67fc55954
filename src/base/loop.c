/*
 * loop.c: AvahiPoll over poll(2), with monotonic timeouts and signals through a pipe.
 *
 * Avahi's own AvahiSimplePoll dispatches one callback per poll(2), newest watch first; with
 * hundreds of boards some would starve past the one second of silence after which they hang up.
 * Here every ready descriptor and every due timeout has its turn each time round. Objects that
 * callbacks free are only marked, and swept when no callback runs.
 *
 * It knows nothing of boards, sessions or output.
 */
#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { US_PER_S = 1000000, US_PER_MS = 1000 };

struct AvahiWatch {
    struct loop *loop;
    size_t index; /* of its pollfd and of its pointer in loop->watches */
    AvahiWatchEvent happened;
    AvahiWatchCallback callback;
    void *userdata;
    bool dead;
};

struct AvahiTimeout {
    struct loop *loop;
    int64_t due_us; /* monotonic; negative: disarmed */
    AvahiTimeoutCallback callback;
    void *userdata;
    bool dead;
};

/* Each ends the program in an orderly way. */
static const int caught[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
enum { CAUGHT_COUNT = sizeof caught / sizeof *caught };

struct loop {
    AvahiPoll api;
    struct pollfd *pollfds; /* parallel to watches */
    AvahiWatch **watches;
    size_t watch_count, watch_capacity;
    AvahiTimeout **timeouts;
    size_t timeout_count, timeout_capacity;
    bool sweep_due;
    bool quit;
    bool ends_without_memory, has_run_out;
    int signal_pipe[2];
    AvahiWatch *signal_watch;
    void (*on_signal)(int number, void *userdata); /* NULL: the signals are not caught */
    void *signal_userdata;
    void (*on_status)(void *userdata); /* NULL: SIGUSR1 is not caught */
    void *status_userdata;
    struct sigaction old_caught[CAUGHT_COUNT];
    struct sigaction old_status;
};

/* The write end for the signal handler, which has no other way to find its loop. */
static volatile sig_atomic_t signal_descriptor = -1;

int64_t loop_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

/* Makes room for one more element in each of two parallel arrays (second may be NULL). */
static int grow(size_t count, size_t *capacity, void **first, size_t first_size, void **second,
                size_t second_size)
{
    if (count < *capacity)
        return 0;
    size_t larger = *capacity ? *capacity * 2 : 16;
    void *grown = realloc(*first, larger * first_size);
    if (!grown)
        return -1;
    *first = grown;
    if (second) {
        grown = realloc(*second, larger * second_size);
        if (!grown)
            return -1;
        *second = grown;
    }
    *capacity = larger;
    return 0;
}

static AvahiWatch *watch_new(const AvahiPoll *api, int fd, AvahiWatchEvent events,
                             AvahiWatchCallback callback, void *userdata)
{
    struct loop *loop = api->userdata;
    AvahiWatch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    void *pollfds = loop->pollfds;
    void *watches = loop->watches;
    int rc = grow(loop->watch_count, &loop->watch_capacity, &pollfds, sizeof *loop->pollfds,
                  /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
                  &watches, sizeof *loop->watches);
    loop->pollfds = pollfds;
    loop->watches = watches;
    if (rc < 0) {
        free(watch);
        return NULL;
    }
    *watch = (AvahiWatch){
        .loop = loop, .index = loop->watch_count++, .callback = callback, .userdata = userdata};
    loop->watches[watch->index] = watch;
    loop->pollfds[watch->index] = (struct pollfd){.fd = fd, .events = (short)events};
    return watch;
}

static void watch_update(AvahiWatch *watch, AvahiWatchEvent events)
{
    watch->loop->pollfds[watch->index].events = (short)events;
}

static AvahiWatchEvent watch_get_events(AvahiWatch *watch)
{
    return watch->happened;
}

static void watch_free(AvahiWatch *watch)
{
    struct pollfd *pollfd = &watch->loop->pollfds[watch->index];
    watch->dead = true;
    watch->loop->sweep_due = true;
    *pollfd = (struct pollfd){.fd = -1};
}

/* AvahiPoll passes wall-clock times; a step of that clock must not touch what is already armed. */
static int64_t monotonic_from_wall_clock(const struct timeval *when)
{
    if (!when)
        return -1;
    struct timeval now;
    gettimeofday(&now, NULL);
    int64_t delay_us =
        ((int64_t)when->tv_sec - now.tv_sec) * US_PER_S + when->tv_usec - now.tv_usec;
    return loop_now_us() + (delay_us > 0 ? delay_us : 0);
}

static AvahiTimeout *timeout_new(const AvahiPoll *api, const struct timeval *when,
                                 AvahiTimeoutCallback callback, void *userdata)
{
    struct loop *loop = api->userdata;
    AvahiTimeout *timeout = calloc(1, sizeof *timeout);
    if (!timeout)
        return NULL;
    void *timeouts = loop->timeouts;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
    int rc = grow(loop->timeout_count, &loop->timeout_capacity, &timeouts, sizeof *loop->timeouts,
                  NULL, 0);
    loop->timeouts = timeouts;
    if (rc < 0) {
        free(timeout);
        return NULL;
    }
    *timeout = (AvahiTimeout){.loop = loop,
                              .due_us = monotonic_from_wall_clock(when),
                              .callback = callback,
                              .userdata = userdata};
    loop->timeouts[loop->timeout_count++] = timeout;
    return timeout;
}

/* libavahi-client does not look whether a timeout could be made. */
static void timeout_update(AvahiTimeout *timeout, const struct timeval *when)
{
    if (timeout)
        timeout->due_us = monotonic_from_wall_clock(when);
}

static void timeout_free(AvahiTimeout *timeout)
{
    if (!timeout)
        return;
    timeout->dead = true;
    timeout->due_us = -1;
    timeout->loop->sweep_due = true;
}

static struct timeval wall_clock_after(int64_t delay_us)
{
    struct timeval when;
    gettimeofday(&when, NULL);
    int64_t sum_us = when.tv_usec + delay_us;
    when.tv_sec += (time_t)(sum_us / US_PER_S);
    when.tv_usec = (suseconds_t)(sum_us % US_PER_S);
    return when;
}

int loop_arm(const AvahiPoll *poll_api, AvahiTimeout **timeout, int64_t delay_us,
             AvahiTimeoutCallback callback, void *userdata)
{
    if (!*timeout)
        *timeout = poll_api->timeout_new(poll_api, NULL, callback, userdata);
    if (!*timeout)
        return -1;
    if (poll_api->timeout_update == timeout_update) {
        /* Not by way of the wall clock, which may be set between two readings of it. */
        (*timeout)->due_us = delay_us < 0 ? -1 : loop_now_us() + delay_us;
    } else {
        struct timeval when = wall_clock_after(delay_us);
        poll_api->timeout_update(*timeout, delay_us < 0 ? NULL : &when);
    }
    return 0;
}

static void sweep(struct loop *loop)
{
    size_t kept = 0;
    for (size_t i = 0; i < loop->watch_count; i++) {
        AvahiWatch *watch = loop->watches[i];
        if (watch->dead) {
            free(watch);
            continue;
        }
        watch->index = kept;
        loop->pollfds[kept] = loop->pollfds[i];
        loop->watches[kept++] = watch;
    }
    loop->watch_count = kept;

    kept = 0;
    for (size_t i = 0; i < loop->timeout_count; i++) {
        if (loop->timeouts[i]->dead)
            free(loop->timeouts[i]);
        else
            loop->timeouts[kept++] = loop->timeouts[i];
    }
    loop->timeout_count = kept;
    loop->sweep_due = false;
}

/* Milliseconds for poll(2), rounded up: waking early would only mean a turn for nothing. */
static int poll_timeout_ms(const struct loop *loop)
{
    int64_t next_us = INT64_MAX;
    for (size_t i = 0; i < loop->timeout_count; i++)
        if (loop->timeouts[i]->due_us >= 0 && loop->timeouts[i]->due_us < next_us)
            next_us = loop->timeouts[i]->due_us;
    if (next_us == INT64_MAX)
        return -1;
    int64_t wait_us = next_us - loop_now_us();
    if (wait_us <= 0)
        return 0;
    int64_t wait_ms = (wait_us + US_PER_MS - 1) / US_PER_MS;
    return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

static bool must_end(const struct loop *loop)
{
    return loop->quit || (loop->ends_without_memory && loop->has_run_out);
}

static void dispatch_watches(struct loop *loop)
{
    size_t count = loop->watch_count; /* those that callbacks add have their turn next time */
    for (size_t i = 0; i < count && !must_end(loop); i++) {
        struct pollfd *pollfd = &loop->pollfds[i];
        AvahiWatch *watch = loop->watches[i];
        if (watch->dead || !pollfd->revents)
            continue;
        watch->happened = (AvahiWatchEvent)pollfd->revents;
        pollfd->revents = 0;
        errno = 0;
        watch->callback(watch, pollfd->fd, watch->happened, watch->userdata);
        loop->has_run_out |= errno == ENOMEM;
        watch->happened = 0;
    }
}

static void dispatch_timeouts(struct loop *loop)
{
    int64_t now_us = loop_now_us();
    size_t count = loop->timeout_count;
    for (size_t i = 0; i < count && !must_end(loop); i++) {
        AvahiTimeout *timeout = loop->timeouts[i];
        if (timeout->due_us < 0 || timeout->due_us > now_us)
            continue;
        timeout->due_us = -1;
        errno = 0;
        timeout->callback(timeout, timeout->userdata);
        loop->has_run_out |= errno == ENOMEM;
    }
}

int loop_run(struct loop *loop)
{
    loop->quit = false;
    while (!must_end(loop)) {
        if (loop->sweep_due)
            sweep(loop);
        int ready = poll(loop->pollfds, (nfds_t)loop->watch_count, poll_timeout_ms(loop));
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready > 0)
            dispatch_watches(loop);
        dispatch_timeouts(loop);
    }

    errno = ENOMEM; /* of the other way to come here */
    return loop->quit ? 0 : -1;
}

void loop_quit(struct loop *loop)
{
    loop->quit = true;
}

void loop_end_without_memory(struct loop *loop)
{
    loop->ends_without_memory = true;
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->api = (AvahiPoll){.userdata = loop,
                            .watch_new = watch_new,
                            .watch_update = watch_update,
                            .watch_get_events = watch_get_events,
                            .watch_free = watch_free,
                            .timeout_new = timeout_new,
                            .timeout_update = timeout_update,
                            .timeout_free = timeout_free};
    loop->signal_pipe[0] = loop->signal_pipe[1] = -1;
    return loop;
}

const AvahiPoll *loop_poll_api(struct loop *loop)
{
    return &loop->api;
}

static void handle_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    /* A full pipe means that enough signals are waiting to be seen. */
    if (write((int)signal_descriptor, &byte, 1) < 0)
        errno = saved;
    errno = saved;
}

static void signals_readable(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *userdata)
{
    (void)watch;
    (void)event;
    struct loop *loop = userdata;
    unsigned char number;

    while (read(fd, &number, 1) == 1)
        if (number == SIGUSR1)
            loop->on_status(loop->status_userdata);
        else
            loop->on_signal(number, loop->signal_userdata);
}

/* A shell starts background jobs with SIGINT ignored, so that Ctrl-C does not reach them; nohup
 * does it with SIGHUP. */
static void catch_unless_ignored(int number, const struct sigaction *action, struct sigaction *old)
{
    sigaction(number, NULL, old);
    if (old->sa_handler != SIG_IGN)
        sigaction(number, action, NULL);
}

static int open_signal_pipe(struct loop *loop)
{
    if (loop->signal_watch)
        return 0;
    if (loop->signal_pipe[0] < 0 && pipe2(loop->signal_pipe, O_NONBLOCK | O_CLOEXEC) < 0)
        return -1;
    loop->signal_watch = loop->api.watch_new(&loop->api, loop->signal_pipe[0], AVAHI_WATCH_IN,
                                             signals_readable, loop);
    if (!loop->signal_watch)
        return -1;
    signal_descriptor = loop->signal_pipe[1];
    return 0;
}

static const struct sigaction pipe_action = {.sa_handler = handle_signal, .sa_flags = SA_RESTART};

int loop_catch_signals(struct loop *loop, void (*on_signal)(int number, void *userdata),
                       void *userdata)
{
    if (open_signal_pipe(loop) < 0)
        return -1;
    loop->on_signal = on_signal;
    loop->signal_userdata = userdata;
    for (size_t i = 0; i < CAUGHT_COUNT; i++)
        catch_unless_ignored(caught[i], &pipe_action, &loop->old_caught[i]);
    return 0;
}

int loop_catch_status(struct loop *loop, void (*on_status)(void *userdata), void *userdata)
{
    if (open_signal_pipe(loop) < 0)
        return -1;
    if (!loop->on_status)
        sigaction(SIGUSR1, &pipe_action, &loop->old_status);
    loop->on_status = on_status;
    loop->status_userdata = userdata;
    return 0;
}

bool loop_wait_readable(struct loop *loop, int descriptor, int64_t timeout_us)
{
    const int64_t until_us = loop_now_us() + timeout_us;
    struct pollfd polled[] = {{.fd = descriptor, .events = POLLIN},
                              {.fd = loop->signal_pipe[0], .events = POLLIN}};

    for (;;) {
        int64_t left_ms = (until_us - loop_now_us()) / US_PER_MS;
        int ready = poll(polled, 2, left_ms > 0 ? (int)left_ms : 0);

        if (ready == 0 || (ready < 0 && errno != EINTR))
            return false;
        if (ready > 0 && polled[1].revents)
            signals_readable(loop->signal_watch, polled[1].fd, AVAHI_WATCH_IN, loop);
        else if (ready > 0)
            return true;
    }
}

void loop_die_of(int number)
{
    const struct sigaction action = {.sa_handler = SIG_DFL};

    prctl(PR_SET_DUMPABLE, 0);
    sigaction(number, &action, NULL);
    raise(number);
}

static void release_signals(struct loop *loop)
{
    if (loop->on_signal)
        for (size_t i = 0; i < CAUGHT_COUNT; i++)
            sigaction(caught[i], &loop->old_caught[i], NULL);
    if (loop->on_status)
        sigaction(SIGUSR1, &loop->old_status, NULL);
    if (loop->signal_watch)
        signal_descriptor = -1;
    for (int end = 0; end < 2; end++)
        if (loop->signal_pipe[end] >= 0)
            close(loop->signal_pipe[end]);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    release_signals(loop);
    for (size_t i = 0; i < loop->watch_count; i++)
        free(loop->watches[i]);
    for (size_t i = 0; i < loop->timeout_count; i++)
        free(loop->timeouts[i]);
    free(loop->watches);
    free(loop->pollfds);
    free(loop->timeouts);
    free(loop);
}
