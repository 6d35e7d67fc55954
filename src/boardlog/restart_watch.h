/*
 * restart_watch.h: waits until a board has gone from the network and come back, as it does when it
 * restarts.
 */
#ifndef ESP_OTA_BOARDLOG_RESTART_WATCH_H
#define ESP_OTA_BOARDLOG_RESTART_WATCH_H

#include "base/address.h"

#include "base/loop.h"

struct restart_watch;

/* What it looks like from here: that something at the address answers TCP again, not what. */
enum restart_watch_result {
    RESTART_WATCH_BACK,       /* it was silent for a second or more, and answers again */
    RESTART_WATCH_NEVER_GONE, /* it answered all the time: no restart, or one faster than can be seen */
    RESTART_WATCH_STILL_GONE, /* it is silent at the deadline */
};

struct restart_watch_config {
    struct loop *loop;
    /* With a port, any: a connection that is refused proves as much as one that is made. One where
     * nothing listens disturbs the board least; a log's port may serve one client only. */
    struct address address;
    bool is_gone;        /* it is silent already: its return is waited for */
    int64_t leave_us;    /* when it answers after so long, it will not go */
    int64_t deadline_us; /* for all */
};

/* The end, once, from the loop. Times count from the start: silent_us when its silence began (its
 * last sign of life; RESTART_WATCH_BACK, RESTART_WATCH_STILL_GONE), back_us when it answered (RESTART_WATCH_BACK). */
typedef void restart_watch_done_fn(enum restart_watch_result result, int64_t silent_us,
                                   int64_t back_us, void *userdata);

/* Starts, best before the board restarts. NULL when memory ran out. */
struct restart_watch *restart_watch_start(const struct restart_watch_config *config,
                                          restart_watch_done_fn *on_done, void *userdata);
/* Allowed at any time, and needed also after on_done. */
void restart_watch_free(struct restart_watch *online);

#endif
