/* The event loop of the simulated boards: epoll, monotonic timers, orderly stop.
 *
 * Watches and timers are embedded in their owners; the loop only borrows them. All calls come from
 * one thread. Times are microseconds of CLOCK_MONOTONIC. */
#ifndef DEVICE_LOOP_H
#define DEVICE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct watch {
    void (*ready)(void *owner, uint32_t events);
    void *owner;
    int fd; /* -1 while not watched */
    uint32_t events;
};

struct timer {
    void (*expired)(void *owner);
    void *owner;
    int64_t due_us;
    size_t slot; /* 1-based place in the heap; 0 while not running */
};

int64_t now_us(void);

/* At most max_timers may run at once. NULL if memory or file descriptors run out. */
struct loop *loop_create(size_t max_timers);
void loop_free(struct loop *loop);

/* Runs until loop_stop(); also stops on SIGINT and SIGTERM. False if waiting itself failed. */
bool loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* events is an EPOLL* mask. fd stays the caller's. */
bool watch_add(struct loop *loop, struct watch *watch, int fd, uint32_t events);
void watch_want(struct loop *loop, struct watch *watch, uint32_t events);
void watch_remove(struct loop *loop, struct watch *watch);

/* (Re)starts the timer; it expires once. */
void timer_start(struct loop *loop, struct timer *timer, int64_t delay_us);
void timer_stop(struct loop *loop, struct timer *timer);

#endif
