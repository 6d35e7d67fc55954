/*
 * restart_watch.c: tries to connect to a TCP port five times a second and notes when it is
 * answered. No byte is sent over these connections.
 *
 * An attempt lasts up to a second, so several are always in progress. One lost packet therefore
 * does not look like silence, and the first attempt after the board's return succeeds.
 *
 * A second of silence is looked for when it is over, not at the next attempt: the loop hands out
 * what has come before it calls a timer, so nothing had come by then. A turn that is late cannot
 * tell when an answer came, and a restart may be missed there.
 *
 * Silence is the board's only while this computer asks. So an attempt that fails here ends it, and
 * the watch has a clock of its own, which stands still while the program is stopped. If this
 * computer's own link fails, no silence until the next answer is the board's: behind the link, a
 * switch may need half a minute to forward again.
 */
#include "boardlog/restart_watch.h"

#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"
#include "net/outage.h"
#include "net/tcp_connect.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { KNOCKS = 5 }; /* attempts in progress at a time */

static const int64_t TICK_US = MILLISECONDS(200);
static const int64_t GONE_US = KNOCKS * MILLISECONDS(200);

/* On a busy computer a turn is late. More than this, and the program was stopped. */
static const int64_t LONGEST_TURN_US = 2 * MILLISECONDS(200);

/* Times are those of watch_now_us(). */
struct restart_watch {
    struct restart_watch_config config;
    restart_watch_done_fn *on_done;
    void *userdata;
    struct loop_timer tick;
    struct outage outage;
    struct knock {
        struct restart_watch *watch;
        struct tcp_connect *attempt;
    } knocks[KNOCKS];
    size_t next;
    int64_t knock_us;     /* of loop_now_us(): when the next attempt is due */
    int64_t awake_us;     /* of loop_now_us(): when the clock was last read */
    int64_t unwatched_us; /* for how long the program was stopped */
    int64_t start_us;
    int64_t silent_us; /* the last sign of life, or local error */
    int64_t alive_us;  /* like silent_us, but not refreshed by local errors */
    int64_t looked_us; /* of loop_now_us(): when the link was last looked at */
    int64_t heard_us;  /* like alive_us, but of loop_now_us() */
    int64_t local_us;  /* the last local error */
    int local_reason;  /* its errno; 0: there was none */
    bool is_gone;
    bool is_cut_off; /* this computer's link has failed since the last sign of life */
    bool is_unseen;  /* a restart may have been missed */
};

static int64_t watch_now_us(struct restart_watch *watch)
{
    int64_t now_us = loop_now_us();
    int64_t turn_us = now_us - watch->awake_us;

    if (turn_us > LONGEST_TURN_US)
        watch->unwatched_us += turn_us - LONGEST_TURN_US;
    watch->awake_us = now_us;
    return now_us - watch->unwatched_us;
}

static void stop_watch(struct restart_watch *watch)
{
    for (size_t i = 0; i < KNOCKS; i++) {
        tcp_connect_free(watch->knocks[i].attempt);
        watch->knocks[i].attempt = NULL;
    }
    outage_stop(&watch->outage);
    loop_timer_stop(&watch->tick);
}

/* on_done may free the watch: callers return at once. */
static void finish_watch(struct restart_watch *watch, enum restart_watch_result result)
{
    const struct restart_watch_report report = {.result = result,
                                                .silent_us = watch->silent_us - watch->start_us,
                                                .back_us = watch_now_us(watch) - watch->start_us,
                                                .reason = watch->local_reason};

    stop_watch(watch);
    watch->on_done(&report, watch->userdata);
}

static void take_sign_of_life(struct restart_watch *watch)
{
    if (watch->is_gone && !watch->is_cut_off) {
        finish_watch(watch, RESTART_WATCH_BACK);
        return;
    }

    watch->is_unseen |= watch->is_gone || loop_now_us() - watch->heard_us >= GONE_US ||
                        outage_after(&watch->outage, watch->heard_us) & OUTAGE_STOP;
    watch->is_gone = watch->is_cut_off = false;
    watch->silent_us = watch->alive_us = watch_now_us(watch);
    watch->heard_us = loop_now_us();
}

/* If this computer has no way out, the silence until now may have had the same reason: a link fails
 * before its routes do. */
static void take_local_error(struct restart_watch *watch, int reason)
{
    watch->local_us = watch_now_us(watch);
    watch->local_reason = reason;
    if (!error_is_local(reason)) {
        watch->is_unseen |= watch->is_gone;
        watch->is_gone = false;
        watch->is_cut_off = true;
    }
    if (!watch->is_gone)
        watch->silent_us = watch->local_us;
}

static void on_knock_answered(int fd, int reason, void *userdata)
{
    const struct knock *knock = userdata;
    struct restart_watch *watch = knock->watch;

    if (fd >= 0) {
        /* a reset frees the board's end at once */
        struct linger none = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        close(fd);
    }

    if (fd >= 0 || reason == ECONNREFUSED || reason == ECONNRESET)
        take_sign_of_life(watch);
    else if (error_is_of_this_computer(reason))
        take_local_error(watch, reason);
}

static void knock_once(struct restart_watch *watch)
{
    struct knock *knock = &watch->knocks[watch->next];

    watch->next = (watch->next + 1) % KNOCKS;
    tcp_connect_free(knock->attempt);
    knock->watch = watch;
    knock->attempt = tcp_connect_start(watch->config.loop, &watch->config.address,
                                       watch->config.source, GONE_US, on_knock_answered, knock);
    if (!knock->attempt)
        take_local_error(watch, ENOMEM);
}

/* Knocks if that is due, and waits for the next knock, or for the end of a second of silence. */
static void go_on(struct restart_watch *watch)
{
    if (loop_now_us() >= watch->knock_us) {
        knock_once(watch);
        watch->knock_us = loop_now_us() + TICK_US;
    }

    const int64_t knock_us = watch->knock_us - loop_now_us();
    const int64_t gone_us = watch->silent_us + GONE_US - watch_now_us(watch);
    const bool is_gone_first = !watch->is_gone && gone_us < knock_us;

    loop_timer_start(&watch->tick, is_gone_first ? gone_us : knock_us);
}

static enum restart_watch_result result_while_there(const struct restart_watch *watch)
{
    return watch->is_unseen ? RESTART_WATCH_UNSEEN : RESTART_WATCH_NEVER_GONE;
}

static enum restart_watch_result result_at_deadline(const struct restart_watch *watch,
                                                    int64_t now_us)
{
    if (watch->local_reason && now_us - watch->local_us < GONE_US &&
        now_us - watch->alive_us >= GONE_US)
        return RESTART_WATCH_BLIND;
    return watch->is_gone ? RESTART_WATCH_STILL_GONE : result_while_there(watch);
}

static void on_tick(void *userdata)
{
    struct restart_watch *watch = userdata;
    int64_t now_us = watch_now_us(watch);

    if (outage_after(&watch->outage, watch->looked_us) & OUTAGE_LINK)
        take_local_error(watch, ENETDOWN);
    watch->looked_us = loop_now_us();
    if (now_us - watch->silent_us >= GONE_US)
        watch->is_gone = true;

    if (now_us - watch->start_us >= watch->config.deadline_us) {
        finish_watch(watch, result_at_deadline(watch, now_us));
    } else if (watch->alive_us - watch->start_us >= watch->config.leave_us) {
        finish_watch(watch, result_while_there(watch));
    } else {
        go_on(watch);
    }
}

struct restart_watch *restart_watch_start(const struct restart_watch_config *config,
                                          restart_watch_done_fn *on_done, void *userdata)
{
    struct restart_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;

    *watch = (struct restart_watch){
        .config = *config, .on_done = on_done, .userdata = userdata, .is_gone = config->is_gone};
    watch->awake_us = watch->start_us = watch->silent_us = watch->alive_us = loop_now_us();
    watch->looked_us = watch->heard_us = watch->knock_us = watch->start_us;

    outage_start(&watch->outage, config->loop, &config->address, config->source);
    loop_timer_init(&watch->tick, config->loop, on_tick, watch);
    loop_timer_start(&watch->tick, 0);
    return watch;
}

void restart_watch_free(struct restart_watch *watch)
{
    if (!watch)
        return;

    stop_watch(watch);
    free(watch);
}
