/*
 * restart_watch.h: waits until a board has gone from the network and come back, as it does when it
 * restarts.
 */
#ifndef ESP_OTA_BOARDLOG_RESTART_WATCH_H
#define ESP_OTA_BOARDLOG_RESTART_WATCH_H

#include "base/address.h"
#include "base/loop.h"

#include <stdint.h>

struct restart_watch;
struct source;

/* Something at the address answers TCP, or nothing does. It need not be the board. */
enum restart_watch_result {
    RESTART_WATCH_BACK,       /* answers again after a second or more of silence */
    RESTART_WATCH_NEVER_GONE, /* always answered: no restart, or one too fast to be seen */
    RESTART_WATCH_STILL_GONE, /* silent at the deadline */
    RESTART_WATCH_BLIND,      /* for a second or more before the deadline, no attempt left this
                               * computer: whether the board restarts is unknown */
    RESTART_WATCH_UNSEEN,     /* answers, but this computer could not ask for a second or more */
};

struct restart_watch_config {
    struct loop *loop;
    /* Any port will do, since a refused connection proves as much as an accepted one. A port where
     * nothing listens disturbs the board least: the port of a log may serve only one client. */
    struct address address;
    const struct source *source; /* must outlive the watch */
    bool is_gone;                /* the board is silent already, so only its return is waited for */
    int64_t leave_us;            /* a board that still answers at this time does not restart */
    int64_t deadline_us; /* the latest time of the result; a stop of this program extends it */
};

/* What was seen. Times count from the start, without the time for which this program was stopped
 * (Ctrl-Z): nobody watched then. */
struct restart_watch_report {
    enum restart_watch_result result;
    int64_t silent_us; /* BACK, STILL_GONE: the last sign of life before the silence */
    int64_t back_us;   /* BACK: the first answer after it */
    int reason;        /* BLIND: the errno of the last attempt */
};

/* Called once, from the loop. */
typedef void restart_watch_done_fn(const struct restart_watch_report *report, void *userdata);

/* Starts, preferably before the board restarts. NULL when memory ran out. */
struct restart_watch *restart_watch_start(const struct restart_watch_config *config,
                                          restart_watch_done_fn *on_done, void *userdata);
/* Allowed at any time, and required also after on_done. NULL is ignored. */
void restart_watch_free(struct restart_watch *watch);

#endif
