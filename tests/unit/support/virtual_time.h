/*
 * virtual_time.h: a clock that stands still until a test moves it on, and one timeout on it: in
 * place of loop_now_us() and loop_arm(), which the test links with --wrap.
 */
#ifndef VIRTUAL_TIME_H
#define VIRTUAL_TIME_H

#include <avahi-common/watch.h>
#include <stdbool.h>
#include <stdint.h>

struct virtual_time {
    AvahiPoll api; /* for the module under test; it has timeout_free() only */
    int64_t now_us;
    int64_t due_us;                   /* of the timeout; negative: disarmed */
    bool exists;                      /* the timeout */
    bool refuse;                      /* memory runs out when it is to be made */
    void (*on_arm)(int64_t delay_us); /* hears of each delay that is not negative; NULL: nobody */
    AvahiTimeoutCallback callback;
    void *userdata;
};
extern struct virtual_time virtual_time;

/* All as at the beginning; the clock says now_us. */
void virtual_time_reset(int64_t now_us);

/* The timeout fires; where it is armed, the clock moves on to when it is due. */
void virtual_time_fire(void);

#endif
