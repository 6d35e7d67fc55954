/*
 * online.h: waits until a board has gone from the network and come back, as it does when it
 * restarts.
 */
#ifndef ONLINE_H
#define ONLINE_H

#include "address.h"

#include <avahi-common/watch.h>

struct online;

/* What it looks like from here: that something at the address answers TCP again, not what. */
enum online_result {
    ONLINE_BACK,       /* it was silent for a second or more, and answers again */
    ONLINE_NEVER_GONE, /* it answered all the time: no restart, or one faster than can be seen */
    ONLINE_STILL_GONE, /* it is silent at the deadline */
};

struct online_config {
    const AvahiPoll *poll_api;
    /* With a port, any: a connection that is refused proves as much as one that is made. One where
     * nothing listens disturbs the board least; a log's port may serve one client only. */
    struct address address;
    bool is_gone;        /* it is silent already: its return is waited for */
    int64_t leave_us;    /* when it answers after so long, it will not go */
    int64_t deadline_us; /* for all */
};

/* The end, once, from the loop. Times count from the start: silent_us when its silence began (its
 * last sign of life; ONLINE_BACK, ONLINE_STILL_GONE), back_us when it answered (ONLINE_BACK). */
typedef void online_done_fn(enum online_result result, int64_t silent_us, int64_t back_us,
                            void *userdata);

/* Starts, best before the board restarts. NULL when memory ran out. */
struct online *online_start(const struct online_config *config, online_done_fn *on_done,
                            void *userdata);
/* Allowed at any time, and needed also after on_done. */
void online_free(struct online *online);

#endif
