/*
 * loop.h: the one event loop, on epoll(7) and a monotonic clock.
 *
 * Timers and watches are members of the structs that own them, so starting a timer cannot fail and
 * nothing is allocated. A timer or watch that is all zero is stopped; stopping it again is allowed.
 */
#ifndef ESP_OTA_BASE_LOOP_H
#define ESP_OTA_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* NULL and errno when memory or file descriptors run out. Installs no signal handler. */
struct loop *loop_new(void);

/* Every timer and watch must have been stopped before. Restores the signal handlers. */
void loop_free(struct loop *loop);

/* Dispatches until loop_quit(). Each turn calls back once for every ready file descriptor, then for
 * every due timer. A watch that a callback starts waits for the next turn; for a timer see
 * loop_timer_start(). What was ready when a timer became due is served before it, also after the
 * process was stopped. A callback may stop any timer or watch and free its owner, also its own.
 * Returns 0 after loop_quit(), or -1 and errno when epoll_wait(2) fails. */
int loop_run(struct loop *loop);
void loop_quit(struct loop *loop);

/* From now on a callback that leaves errno at ENOMEM ends loop_run() with -1. libdbus and
 * libavahi-client silently drop messages when memory runs out. */
void loop_end_without_memory(struct loop *loop);

/* Calls on_signal(number) from the loop, not from the handler, for each signal of ending_signal.h
 * that would have ended the process before: not for one that is ignored or has a handler. -1 and
 * errno when the handlers cannot be installed. Only one loop in a process may do this. */
int loop_catch_signals(struct loop *loop, void (*on_signal)(int number, void *userdata),
                       void *userdata);

/* Calls on_status() from the loop for SIGUSR1, by which the user asks for the progress. The same
 * restrictions apply; one loop may catch both. -1 and errno on failure. */
int loop_catch_status(struct loop *loop, void (*on_status)(void *userdata), void *userdata);

/* Waits outside of loop_run() until fd can be read, for timeout_us at most, and calls on_status()
 * meanwhile. False when the time is over, or poll(2) fails. */
bool loop_wait_readable(struct loop *loop, int fd, int64_t timeout_us);

/* Ends this process by the signal's default action, as the caller's shell expects: a loop in a
 * script continues after exit status 130, but not after a death by SIGINT. SIGQUIT and SIGXCPU
 * leave no core dump, which could contain secrets. Where no signal ends the process by default
 * (process 1 of a container), it ends with status 128 + number. */
_Noreturn void loop_die_of(int number);

/* Monotonic clock, in microseconds since an arbitrary start. */
int64_t loop_now_us(void);

/* -- timers -- */

typedef void loop_timer_fn(void *userdata);

/* The fields belong to loop.c. */
struct loop_timer {
    struct loop *loop;
    loop_timer_fn *on_due;
    void *userdata;
    int64_t due_us; /* monotonic */
    bool is_running;
    struct loop_timer *child, *sibling, *back; /* in the heap of timers that run */
};

/* Must be called once, before any other use of the timer. */
void loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                     void *userdata);

/* Fires once after delay_us. A running timer is restarted. With 0, a callback of a watch has it
 * fire in the same turn, before any deadline, as it may report what was read in time. Otherwise a
 * timer that need not wait fires in the next turn, also a late one (delay_us < 0). */
void loop_timer_start(struct loop_timer *timer, int64_t delay_us);
void loop_timer_stop(struct loop_timer *timer);

/* -- watches -- */

/* The events of a watch. LOOP_HUNG_UP means an error or a hang-up and is always reported; the next
 * read or write tells which. */
enum { LOOP_READABLE = 1 << 0, LOOP_WRITABLE = 1 << 1, LOOP_HUNG_UP = 1 << 2 };
typedef void loop_watch_fn(unsigned events, void *userdata);

/* The fields belong to loop.c. All zero before the first start. */
struct loop_watch {
    struct loop *loop; /* NULL: stopped */
    int fd;
    unsigned events;
    loop_watch_fn *on_ready;
    void *userdata;
    unsigned ready;               /* 1 + index among the events being dispatched; 0: none */
    bool is_file;                 /* a regular file: epoll rejects it, and it is always ready */
    struct loop_watch *next_file; /* in the list of the loop */
};

/* Waits for events of fd, which must stay open until the watch is stopped. A file descriptor has
 * one watch at most. -1 and errno when the kernel has no memory or allows no more watches (ENFILE).
 * A watch that is running goes on as it is: -1 and EEXIST. */
int loop_watch_start(struct loop_watch *watch, struct loop *loop, int fd, unsigned events,
                     loop_watch_fn *on_ready, void *userdata);

/* Waits for other events from now on; 0: for errors only. The watch must be running. */
void loop_watch_change(struct loop_watch *watch, unsigned events);

/* Must be called before fd is closed: a worker process may hold the same open file, and epoll would
 * go on reporting it. */
void loop_watch_stop(struct loop_watch *watch);

#endif
