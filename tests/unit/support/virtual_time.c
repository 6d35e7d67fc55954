/*
 * virtual_time.c: see virtual_time.h.
 */
#include "support/virtual_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct virtual_time virtual_time;

int64_t __wrap_loop_now_us(void);
int __wrap_loop_arm(const AvahiPoll *poll_api, AvahiTimeout **timeout, int64_t delay_us,
                    AvahiTimeoutCallback callback, void *userdata);

int64_t __wrap_loop_now_us(void)
{
    return virtual_time.now_us;
}

int __wrap_loop_arm(const AvahiPoll *poll_api, AvahiTimeout **timeout, int64_t delay_us,
                    AvahiTimeoutCallback callback, void *userdata)
{
    assert_ptr_equal(poll_api, &virtual_time.api);
    if (!*timeout) {
        assert_false(virtual_time.exists); /* there is one only */
        if (virtual_time.refuse)
            return -1;
        *timeout = (AvahiTimeout *)&virtual_time;
        virtual_time.exists = true;
        virtual_time.callback = callback;
        virtual_time.userdata = userdata;
    }
    virtual_time.due_us = delay_us < 0 ? -1 : virtual_time.now_us + delay_us;
    if (delay_us >= 0 && virtual_time.on_arm)
        virtual_time.on_arm(delay_us);
    return 0;
}

static void timeout_free(AvahiTimeout *timeout)
{
    assert_ptr_equal(timeout, &virtual_time);
    virtual_time.exists = false;
    virtual_time.due_us = -1;
}

void virtual_time_reset(int64_t now_us)
{
    virtual_time = (struct virtual_time){
        .api = {.timeout_free = timeout_free}, .now_us = now_us, .due_us = -1};
}

void virtual_time_fire(void)
{
    assert_true(virtual_time.exists);
    if (virtual_time.due_us >= 0)
        virtual_time.now_us = virtual_time.due_us;
    virtual_time.due_us = -1;
    virtual_time.callback((AvahiTimeout *)&virtual_time, virtual_time.userdata);
}
