/*
 * virtual_time.c: a clock and a timer under the control of a test.
 */
#include "support/virtual_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct virtual_time virtual_time;

int64_t __wrap_loop_now_us(void);
void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                            void *userdata);
void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us);
void __wrap_loop_timer_stop(struct loop_timer *timer);

int64_t __wrap_loop_now_us(void)
{
    return virtual_time.now_us;
}

void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                            void *userdata)
{
    assert_ptr_equal(loop, virtual_time_loop());
    assert_true(virtual_time.due_us < 0); /* there is one timer at a time */
    *timer = (struct loop_timer){.loop = loop, .on_due = on_due, .userdata = userdata};
    virtual_time.timer = timer;
}

void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us)
{
    assert_ptr_equal(timer, virtual_time.timer);
    if (delay_us < 0) /* it is late */
        delay_us = 0;
    virtual_time.due_us = virtual_time.now_us + delay_us;
    if (virtual_time.on_arm)
        virtual_time.on_arm(delay_us);
}

void __wrap_loop_timer_stop(struct loop_timer *timer)
{
    if (timer->loop) /* a timer that was never initialized may be stopped, too */
        virtual_time.due_us = -1;
}

void virtual_time_reset(int64_t now_us)
{
    virtual_time = (struct virtual_time){.now_us = now_us, .due_us = -1};
}

struct loop *virtual_time_loop(void)
{
    return (struct loop *)&virtual_time;
}

void virtual_time_fire(void)
{
    struct loop_timer *timer = virtual_time.timer;

    assert_non_null(timer);
    if (virtual_time.due_us > virtual_time.now_us)
        virtual_time.now_us = virtual_time.due_us;
    virtual_time.due_us = -1;
    timer->on_due(timer->userdata);
}
