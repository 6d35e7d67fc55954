/*
 * loop.h: the one event loop. Everything that waits does so through the AvahiPoll interface
 * (avahi-common/watch.h), so that any loop can drive it; this one is built on poll(2).
 */
#ifndef ESP_OTA_BASE_LOOP_H
#define ESP_OTA_BASE_LOOP_H

#include <avahi-common/watch.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;

/* A loop without watches; NULL when memory or descriptors run out. Blocks nothing, installs
 * nothing. Freeing it frees the watches and timeouts that are left. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* The interface that modules are written against; valid as long as the loop. */
const AvahiPoll *loop_poll_api(struct loop *loop);

/* Dispatches until loop_quit(). All descriptors that are ready and all timeouts that are due are
 * dispatched in each turn, in an order that starves nobody. Returns 0 after loop_quit(), -1 when
 * poll(2) fails (errno says why). */
int loop_run(struct loop *loop);
void loop_quit(struct loop *loop);

/* From now on a callback that leaves errno at ENOMEM ends loop_run() with -1. This is for libraries
 * that drop what they have no memory for, without a word: libdbus, libavahi-client. */
void loop_end_without_memory(struct loop *loop);

/* Calls on_signal(number) from the loop, not from the handler, for each of SIGHUP, SIGINT, SIGQUIT
 * and SIGTERM that was not ignored before. -1 and errno when the handlers cannot be installed. Only
 * one loop in a process may do this; the previous handlers come back when it is freed. */
int loop_catch_signals(struct loop *loop, void (*on_signal)(int number, void *userdata),
                       void *userdata);

/* Calls on_status() from the loop for SIGUSR1, by which the user asks how far things are. The same
 * restrictions; one loop may catch both. -1 and errno. */
int loop_catch_status(struct loop *loop, void (*on_status)(void *userdata), void *userdata);

/* Waits outside of loop_run() until descriptor can be read, for timeout_us at most, and calls
 * on_status() meanwhile. False when the time is over, or poll(2) fails. */
bool loop_wait_readable(struct loop *loop, int descriptor, int64_t timeout_us);

/* Ends this process by the signal's default action, as the caller's shell expects it: a loop in a
 * script goes on after a program that exits with 130, but not after one that dies of SIGINT.
 * SIGQUIT leaves no core dump behind, which could hold secrets. Returns only if the signal is
 * blocked. */
void loop_die_of(int number);

/* Monotonic clock, in microseconds since an arbitrary start. */
int64_t loop_now_us(void);

/* Arms (or creates, when *timeout is NULL) a timeout that fires once after delay_us; a negative
 * delay disarms it. AvahiPoll wants wall-clock deadlines; only with a loop that is not this one
 * does the wall clock come into it. Returns -1 when memory ran out. */
int loop_arm(const AvahiPoll *poll_api, AvahiTimeout **timeout, int64_t delay_us,
             AvahiTimeoutCallback callback, void *userdata);

#endif
