/*
 * loop.c: an event loop on epoll(7).
 *
 * Each turn serves every ready file descriptor and every due timer: a board hangs up after one
 * second of silence, so none of hundreds may starve. A timer fires only in a turn that has asked
 * for the ready file descriptors after it was due. So what arrived while the process was stopped
 * (Ctrl-Z) or busy is read before a deadline is judged. A timer without a delay that is started
 * while reading reports what was read, so it fires before any deadline. Running timers form a
 * pairing heap, linked through the timers themselves.
 *
 * libev would do the same, but aborts the process when memory runs out (CONTRIBUTING.md).
 */
#include "base/loop.h"

#include "base/array.h"
#include "base/ending_signal.h"
#include "base/stdio_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { US_PER_S = 1000000, US_PER_MS = 1000 };

/* Earlier than any time of the clock. */
enum { BEFORE_DEADLINES = 0 };

/* Room for what is ready, at first. */
enum { READY_MIN = 64 };

struct loop {
    int epoll;
    struct epoll_event *ready; /* what a turn serves */
    size_t ready_max;
    struct loop_timer *timers;    /* the root of the heap, due first */
    struct loop_watch *files;     /* watches of regular files */
    struct loop_watch *next_file; /* the next to dispatch */
    int64_t turn_us;              /* the beginning of this turn */
    bool is_reading;              /* no timer of this turn has fired yet */
    bool quit;
    bool ends_without_memory, has_run_out;
    int signal_pipe[2];
    struct loop_watch signal_watch;
    void (*on_signal)(int number, void *userdata); /* NULL: the signals are not caught */
    void *signal_userdata;
    void (*on_status)(void *userdata); /* NULL: SIGUSR1 is not caught */
    void *status_userdata;
    struct sigaction old_ending[NSIG]; /* by number */
    struct sigaction old_status;
};

/* The write end of the pipe, for the signal handler, which has no other way to find its loop. */
static volatile sig_atomic_t signal_fd = -1;

int64_t loop_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

/* -- timers -- */

/* Joins two heaps; either may be NULL. The earlier of their roots becomes the root of both. */
static struct loop_timer *meld(struct loop_timer *a, struct loop_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->due_us < a->due_us) {
        struct loop_timer *later = a;
        a = b;
        b = later;
    }

    b->sibling = a->child;
    b->back = a;
    if (a->child)
        a->child->back = b;
    a->child = b;
    return a;
}

/* Joins a list of siblings into one heap: first in pairs, then the pairs from last to first. */
static struct loop_timer *meld_siblings(struct loop_timer *first)
{
    struct loop_timer *pairs = NULL, *heap = NULL;

    while (first) {
        struct loop_timer *a = first, *b = first->sibling;
        first = b ? b->sibling : NULL;
        a->sibling = a->back = NULL;
        if (b)
            b->sibling = b->back = NULL;

        struct loop_timer *pair = meld(a, b);
        pair->sibling = pairs;
        pairs = pair;
    }

    while (pairs) {
        struct loop_timer *pair = pairs;
        pairs = pair->sibling;
        pair->sibling = NULL;
        heap = meld(heap, pair);
    }
    return heap;
}

void loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                     void *userdata)
{
    *timer = (struct loop_timer){.loop = loop, .on_due = on_due, .userdata = userdata};
}

/* A timer that is late, or that another timer starts, waits for the next turn: otherwise this turn
 * might never end. */
static int64_t choose_due_us(const struct loop *loop, int64_t delay_us)
{
    if (loop->is_reading && delay_us == 0)
        return BEFORE_DEADLINES;

    int64_t due_us = loop_now_us() + (delay_us > 0 ? delay_us : 0);
    return due_us > loop->turn_us ? due_us : loop->turn_us + 1;
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_us)
{
    struct loop *loop = timer->loop;
    loop_timer_stop(timer);

    timer->due_us = choose_due_us(loop, delay_us);
    timer->is_running = true;
    loop->timers = meld(loop->timers, timer);
}

void loop_timer_stop(struct loop_timer *timer)
{
    if (!timer->is_running)
        return;

    struct loop_timer *children = meld_siblings(timer->child);
    if (timer->sibling)
        timer->sibling->back = timer->back;
    if (!timer->back)
        timer->loop->timers = children;
    else if (timer->back->child == timer)
        timer->back->child = timer->sibling;
    else
        timer->back->sibling = timer->sibling;
    if (timer->back)
        timer->loop->timers = meld(timer->loop->timers, children);

    timer->child = timer->sibling = timer->back = NULL;
    timer->is_running = false;
}

/* Milliseconds until the next timer is due, rounded up, as waking early would waste a turn. -1: no
 * timer is running. */
static int wait_ms(const struct loop *loop)
{
    for (const struct loop_watch *file = loop->files; file; file = file->next_file)
        if (file->events)
            return 0;
    if (!loop->timers)
        return -1;

    int64_t wait_us = loop->timers->due_us - loop->turn_us;
    if (wait_us <= 0)
        return 0;
    int64_t ms = (wait_us + US_PER_MS - 1) / US_PER_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static bool must_end(const struct loop *loop)
{
    return loop->quit || (loop->ends_without_memory && loop->has_run_out);
}

static void dispatch_timers(struct loop *loop)
{
    loop->is_reading = false;
    while (loop->timers && loop->timers->due_us <= loop->turn_us && !must_end(loop)) {
        struct loop_timer *timer = loop->timers;
        loop_timer_stop(timer);

        errno = 0;
        timer->on_due(timer->userdata);
        loop->has_run_out |= errno == ENOMEM;
    }
}

/* -- watches -- */

static struct epoll_event epoll_interest(struct loop_watch *watch)
{
    uint32_t events = 0;

    if (watch->events & LOOP_READABLE)
        events |= EPOLLIN;
    if (watch->events & LOOP_WRITABLE)
        events |= EPOLLOUT;
    return (struct epoll_event){.events = events, .data.ptr = watch};
}

int loop_watch_start(struct loop_watch *watch, struct loop *loop, int fd, unsigned events,
                     loop_watch_fn *on_ready, void *userdata)
{
    if (watch->loop) {
        errno = EEXIST;
        return -1;
    }
    *watch =
        (struct loop_watch){.fd = fd, .events = events, .on_ready = on_ready, .userdata = userdata};

    struct epoll_event interest = epoll_interest(watch);
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &interest) < 0) {
        if (errno == ENOSPC) /* fs.epoll.max_user_watches; no disk is full */
            errno = ENFILE;
        if (errno != EPERM)
            return -1;
        watch->is_file = true;
        watch->next_file = loop->files;
        loop->files = watch;
    }
    watch->loop = loop;
    return 0;
}

void loop_watch_change(struct loop_watch *watch, unsigned events)
{
    if (events == watch->events)
        return;
    watch->events = events;
    if (watch->is_file)
        return;

    struct epoll_event interest = epoll_interest(watch);
    epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &interest);
}

static void forget_file(struct loop_watch *watch)
{
    struct loop *loop = watch->loop;
    struct loop_watch **link = &loop->files;

    while (*link != watch)
        link = &(*link)->next_file;
    *link = watch->next_file;
    if (loop->next_file == watch)
        loop->next_file = watch->next_file;
}

void loop_watch_stop(struct loop_watch *watch)
{
    if (!watch->loop)
        return;

    if (watch->is_file)
        forget_file(watch);
    else
        epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    if (watch->ready)
        watch->loop->ready[watch->ready - 1].data.ptr = NULL;
    *watch = (struct loop_watch){.loop = NULL};
}

static unsigned events_of(uint32_t epoll_events)
{
    unsigned events = 0;

    if (epoll_events & EPOLLIN)
        events |= LOOP_READABLE;
    if (epoll_events & EPOLLOUT)
        events |= LOOP_WRITABLE;
    if (epoll_events & (EPOLLERR | EPOLLHUP))
        events |= LOOP_HUNG_UP;
    return events;
}

static void call_back(struct loop *loop, const struct loop_watch *watch, unsigned events)
{
    errno = 0;
    watch->on_ready(events, watch->userdata);
    loop->has_run_out |= errno == ENOMEM;
}

static void dispatch_files(struct loop *loop)
{
    struct loop_watch *watch = loop->files;

    for (; watch && !must_end(loop); watch = loop->next_file) {
        loop->next_file = watch->next_file;
        if (watch->events)
            call_back(loop, watch, watch->events);
    }
    loop->next_file = NULL;
}

static void dispatch_watches(struct loop *loop, int count)
{
    for (int i = 0; i < count; i++) {
        struct loop_watch *watch = loop->ready[i].data.ptr;
        watch->ready = (unsigned)i + 1;
    }

    for (int i = 0; i < count; i++) {
        struct loop_watch *watch = loop->ready[i].data.ptr;
        if (!watch) /* stopped meanwhile */
            continue;
        watch->ready = 0;
        if (!must_end(loop))
            call_back(loop, watch, events_of(loop->ready[i].events));
    }
}

/* -- the loop -- */

/* After a turn that had no room to spare: the next one is to serve all that are ready. False
 * without memory; then the kernel keeps some of them for later turns, and lets all come in turn. */
static bool make_room(struct loop *loop)
{
    struct epoll_event *ready =
        array_grow(loop->ready, loop->ready_max, &loop->ready_max, sizeof *ready);
    if (ready)
        loop->ready = ready;
    return ready;
}

int loop_run(struct loop *loop)
{
    loop->quit = false;
    while (!must_end(loop)) {
        loop->turn_us = loop_now_us();
        int count = epoll_wait(loop->epoll, loop->ready, (int)loop->ready_max, wait_ms(loop));
        if (count < 0 && errno != EINTR)
            return -1;
        if (count < 0)
            continue;

        loop->is_reading = true;
        dispatch_watches(loop, count);
        if ((size_t)count == loop->ready_max && make_room(loop))
            continue; /* more may be ready */
        dispatch_files(loop);
        dispatch_timers(loop);
    }

    errno = ENOMEM; /* the only other reason to end */
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

    loop->signal_pipe[0] = loop->signal_pipe[1] = -1;
    loop->ready_max = READY_MIN;
    loop->ready = calloc(READY_MIN, sizeof *loop->ready);
    loop->epoll = loop->ready ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (loop->epoll < 0) {
        free(loop->ready);
        free(loop);
        return NULL;
    }
    return loop;
}

/* -- signals -- */

static void handle_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;

    /* If the pipe is full, enough signals are waiting already. */
    ssize_t ignored = write((int)signal_fd, &byte, 1);
    (void)ignored;
    errno = saved;
}

static void on_signal_byte(unsigned events, void *userdata)
{
    struct loop *loop = userdata;
    unsigned char number;

    (void)events;
    while (read(loop->signal_pipe[0], &number, 1) == 1)
        if (number == SIGUSR1)
            loop->on_status(loop->status_userdata);
        else
            loop->on_signal(number, loop->signal_userdata);
}

/* A shell starts background jobs with SIGINT ignored, so that Ctrl-C does not reach them; nohup
 * does so with SIGHUP. A preloaded library may have a handler: a profiler for SIGPROF. */
static void catch_if_default(int number, const struct sigaction *action, struct sigaction *old)
{
    sigaction(number, NULL, old);
    if (ending_signal_is_default(old))
        sigaction(number, action, NULL);
}

static int open_signal_pipe(struct loop *loop)
{
    if (loop->signal_watch.loop)
        return 0;
    if (loop->signal_pipe[0] < 0 && pipe2(loop->signal_pipe, O_NONBLOCK | O_CLOEXEC) < 0)
        return -1;
    if (loop_watch_start(&loop->signal_watch, loop, loop->signal_pipe[0], LOOP_READABLE,
                         on_signal_byte, loop) < 0)
        return -1;

    signal_fd = loop->signal_pipe[1];
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
    for (int number = 1; number < NSIG; number++)
        if (ending_signal_includes(number))
            catch_if_default(number, &pipe_action, &loop->old_ending[number]);
    return 0;
}

int loop_catch_status(struct loop *loop, void (*on_status)(void *userdata), void *userdata)
{
    if (open_signal_pipe(loop) < 0)
        return -1;

    stdio_guard_defer(SIGUSR1);
    if (!loop->on_status)
        sigaction(SIGUSR1, &pipe_action, &loop->old_status);
    loop->on_status = on_status;
    loop->status_userdata = userdata;
    return 0;
}

bool loop_wait_readable(struct loop *loop, int fd, int64_t timeout_us)
{
    const int64_t until_us = loop_now_us() + timeout_us;
    struct pollfd polled[] = {{.fd = fd, .events = POLLIN},
                              {.fd = loop->signal_pipe[0], .events = POLLIN}};

    for (;;) {
        int64_t left_ms = (until_us - loop_now_us()) / US_PER_MS;
        int ready = poll(polled, 2, left_ms > 0 ? (int)left_ms : 0);

        if (ready == 0 || (ready < 0 && errno != EINTR))
            return false;
        if (ready > 0 && polled[1].revents)
            on_signal_byte(LOOP_READABLE, loop);
        else if (ready > 0)
            return true;
    }
}

void loop_die_of(int number)
{
    const struct sigaction action = {.sa_handler = SIG_DFL};

    prctl(PR_SET_DUMPABLE, 0);
    sigaction(number, &action, NULL);
    kill(getpid(), number);
    _exit(128 + number); /* it is blocked, or this is process 1 of a container */
}

static void release_signals(struct loop *loop)
{
    if (loop->on_signal)
        for (int number = 1; number < NSIG; number++)
            if (ending_signal_includes(number))
                sigaction(number, &loop->old_ending[number], NULL);

    if (loop->on_status)
        sigaction(SIGUSR1, &loop->old_status, NULL);

    if (loop->signal_watch.loop)
        signal_fd = -1;
    loop_watch_stop(&loop->signal_watch);
    for (int end = 0; end < 2; end++)
        if (loop->signal_pipe[end] >= 0)
            close(loop->signal_pipe[end]);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;

    release_signals(loop);
    close(loop->epoll);
    free(loop->ready);
    free(loop);
}
