/*
 * virtual_time.h: a clock that stands still until a test advances it, and one timer on it. They
 * replace loop_now_us() and loop_timer_*(), which the test wraps (VIRTUAL_TIME in its
 * CMakeLists.txt).
 */
#ifndef VIRTUAL_TIME_H
#define VIRTUAL_TIME_H

#include "base/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct virtual_time {
    int64_t now_us;
    int64_t due_us;                   /* of the timer; negative: it is stopped */
    struct loop_timer *timer;         /* the last one that was initialized */
    void (*on_arm)(int64_t delay_us); /* called for each start; may be NULL */
};
extern struct virtual_time virtual_time;

/* Resets everything; the clock shows now_us. */
void virtual_time_reset(int64_t now_us);

/* For the module under test, which may only pass it on. */
struct loop *virtual_time_loop(void);

/* The timer fires; if it is running, the clock advances to its time, unless it is later already. */
void virtual_time_fire(void);

#endif
