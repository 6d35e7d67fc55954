/*
 * restart_watch.c: knocks at a TCP port five times a second and notes when it is answered.
 *
 * A knock waits for a second, so that there are always several under way: one lost packet is no
 * absence, and the first one after the board's return finds it. It sends no byte, and prints
 * nothing.
 */
#include "boardlog/restart_watch.h"

#include "base/loop.h"
#include "net/tcp_connect.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { KNOCKS = 5 }; /* at a time */

static const int64_t TICK_US = 200 * INT64_C(1000);
static const int64_t GONE_US = INT64_C(200) * 1000 * KNOCKS;

struct restart_watch {
    struct restart_watch_config config;
    restart_watch_done_fn *on_done;
    void *userdata;
    struct loop_timer tick;
    struct knock {
        struct restart_watch *online;
        struct tcp_connect *dial;
    } knocks[KNOCKS];
    size_t next;
    int64_t start_us;
    int64_t silent_us; /* the last sign of life */
    int64_t alive_us;  /* and the same, but only the board's own */
    bool gone;
};

static void stop_watch(struct restart_watch *online)
{
    for (size_t i = 0; i < KNOCKS; i++) {
        tcp_connect_free(online->knocks[i].dial);
        online->knocks[i].dial = NULL;
    }
}

/* Nothing is touched after on_done, which may have freed everything. */
static void finish_watch(struct restart_watch *online, enum restart_watch_result result)
{
    stop_watch(online);
    loop_timer_stop(&online->tick);
    online->on_done(result, online->silent_us - online->start_us, loop_now_us() - online->start_us,
                    online->userdata);
}

static void hear(struct restart_watch *online)
{
    if (online->gone)
        finish_watch(online, RESTART_WATCH_BACK);
    else
        online->silent_us = online->alive_us = loop_now_us();
}

/* Whether the attempt failed for want of something here, which says nothing about the board. */
static bool is_ours(int reason)
{
    return reason == EMFILE || reason == ENFILE || reason == ENOMEM || reason == ENOBUFS ||
           reason == EADDRNOTAVAIL;
}

static void on_knock_answered(int descriptor, int reason, void *userdata)
{
    const struct knock *knock = userdata;
    struct restart_watch *online = knock->online;

    if (descriptor >= 0) {
        /* A reset frees the board's end at once. */
        struct linger none = {.l_onoff = 1, .l_linger = 0};
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        close(descriptor);
    }
    if (descriptor >= 0 || reason == ECONNREFUSED || reason == ECONNRESET)
        hear(online);
    else if (is_ours(reason) && !online->gone)
        online->silent_us = loop_now_us();
}

static void knock_once(struct restart_watch *online)
{
    struct knock *knock = &online->knocks[online->next];
    online->next = (online->next + 1) % KNOCKS;
    tcp_connect_free(knock->dial);
    knock->online = online;
    knock->dial = tcp_connect_start(online->config.loop, &online->config.address, GONE_US,
                                    on_knock_answered, knock);
    if (!knock->dial && !online->gone)
        online->silent_us = loop_now_us(); /* memory ran out: as is_ours() */
}

static void on_knock_tick(void *userdata)
{
    struct restart_watch *online = userdata;
    int64_t now_us = loop_now_us();
    if (now_us - online->silent_us >= GONE_US)
        online->gone = true;
    if (now_us - online->start_us >= online->config.deadline_us) {
        finish_watch(online, online->gone ? RESTART_WATCH_STILL_GONE : RESTART_WATCH_NEVER_GONE);
    } else if (online->alive_us - online->start_us >= online->config.leave_us) {
        finish_watch(online, RESTART_WATCH_NEVER_GONE);
    } else {
        knock_once(online);
        loop_timer_start(&online->tick, TICK_US);
    }
}

struct restart_watch *restart_watch_start(const struct restart_watch_config *config,
                                          restart_watch_done_fn *on_done, void *userdata)
{
    struct restart_watch *online = calloc(1, sizeof *online);
    if (!online)
        return NULL;

    *online = (struct restart_watch){
        .config = *config, .on_done = on_done, .userdata = userdata, .gone = config->is_gone};
    online->start_us = online->silent_us = online->alive_us = loop_now_us();
    loop_timer_init(&online->tick, config->loop, on_knock_tick, online);
    loop_timer_start(&online->tick, 0);
    return online;
}

void restart_watch_free(struct restart_watch *online)
{
    if (!online)
        return;
    stop_watch(online);
    loop_timer_stop(&online->tick);
    free(online);
}
