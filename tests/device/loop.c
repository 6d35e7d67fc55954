/* epoll and a binary heap of timers. File descriptors are served before timers: data that arrived
 * in time must not count as late because the process was slow. */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 128 };

struct loop {
    struct timer **heap; /* heap[1] is due first */
    size_t heap_size;
    size_t heap_max;
    struct epoll_event batch[BATCH];
    int batch_size;
    struct watch signals;
    int epoll_fd;
    bool ending; /* a signal has come: one more turn serves what came before it */
    bool stopped;
};

int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void on_signal(void *owner, uint32_t events)
{
    struct loop *loop = owner;
    int fd = loop->signals.fd;

    (void)events;
    watch_remove(loop, &loop->signals);
    close(fd);
    loop->ending = true;
}

static bool watch_signals(struct loop *loop)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return false;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    loop->signals = (struct watch){.ready = on_signal, .owner = loop, .fd = -1};
    return fd >= 0 && watch_add(loop, &loop->signals, fd, EPOLLIN);
}

struct loop *loop_create(size_t max_timers)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;

    loop->signals.fd = -1;
    loop->heap_max = max_timers;
    loop->heap = calloc(max_timers + 1, sizeof(struct timer *));
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    if (!loop->heap || loop->epoll_fd < 0 || !watch_signals(loop)) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->signals.fd >= 0)
        close(loop->signals.fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop->heap);
    free(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

bool watch_add(struct loop *loop, struct watch *watch, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return false;
    watch->fd = fd;
    watch->events = events;
    return true;
}

void watch_want(struct loop *loop, struct watch *watch, uint32_t events)
{
    if (watch->fd < 0 || watch->events == events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) == 0)
        watch->events = events;
}

void watch_remove(struct loop *loop, struct watch *watch)
{
    if (watch->fd < 0)
        return;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->fd = -1;

    /* Events of the old file descriptor in this batch must not reach its successor. */
    for (int i = 0; i < loop->batch_size; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
}

static void heap_place(struct loop *loop, size_t slot, struct timer *timer)
{
    loop->heap[slot] = timer;
    timer->slot = slot;
}

static void heap_up(struct loop *loop, size_t slot, struct timer *timer)
{
    while (slot > 1 && loop->heap[slot / 2]->due_us > timer->due_us) {
        heap_place(loop, slot, loop->heap[slot / 2]);
        slot /= 2;
    }
    heap_place(loop, slot, timer);
}

static void heap_down(struct loop *loop, size_t slot, struct timer *timer)
{
    for (size_t child = slot * 2; child <= loop->heap_size; child = slot * 2) {
        if (child < loop->heap_size && loop->heap[child + 1]->due_us < loop->heap[child]->due_us)
            child++;
        if (loop->heap[child]->due_us >= timer->due_us)
            break;

        heap_place(loop, slot, loop->heap[child]);
        slot = child;
    }
    heap_place(loop, slot, timer);
}

void timer_start(struct loop *loop, struct timer *timer, int64_t delay_us)
{
    timer_stop(loop, timer);
    if (loop->heap_size >= loop->heap_max)
        return;
    timer->due_us = now_us() + delay_us;
    heap_up(loop, ++loop->heap_size, timer);
}

void timer_stop(struct loop *loop, struct timer *timer)
{
    size_t slot = timer->slot;

    if (slot == 0)
        return;

    timer->slot = 0;
    struct timer *last = loop->heap[loop->heap_size--];
    if (last == timer)
        return;
    if (slot > 1 && loop->heap[slot / 2]->due_us > last->due_us)
        heap_up(loop, slot, last);
    else
        heap_down(loop, slot, last);
}

static void run_timers(struct loop *loop)
{
    int64_t now = now_us();
    while (!loop->stopped && loop->heap_size > 0 && loop->heap[1]->due_us <= now) {
        struct timer *timer = loop->heap[1];
        timer_stop(loop, timer);
        timer->expired(timer->owner);
    }
}

static int wait_for_events(struct loop *loop)
{
    struct timespec wait = {0, 0};
    if (loop->heap_size > 0 && !loop->ending) {
        int64_t left = loop->heap[1]->due_us - now_us();
        if (left > 0)
            wait = (struct timespec){left / 1000000, left % 1000000 * 1000};
    }
    bool may_wait_for_ever = loop->heap_size == 0 && !loop->ending;
    return epoll_pwait2(loop->epoll_fd, loop->batch, BATCH, may_wait_for_ever ? NULL : &wait, NULL);
}

bool loop_run(struct loop *loop)
{
    while (!loop->stopped) {
        bool is_last = loop->ending;

        loop->batch_size = wait_for_events(loop);
        if (loop->batch_size < 0 && errno != EINTR)
            return false;

        for (int i = 0; i < loop->batch_size && !loop->stopped; i++) {
            struct watch *watch = loop->batch[i].data.ptr;
            if (watch)
                watch->ready(watch->owner, loop->batch[i].events);
        }

        loop->batch_size = 0;
        if (is_last)
            break;
        run_timers(loop);
    }
    return true;
}
