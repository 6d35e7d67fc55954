/*
 * avahi_poll.c: AvahiPoll (avahi-common/watch.h) on the event loop.
 *
 * libdbus watches one socket twice, for reading and for writing, so each watch has a duplicate of
 * the file descriptor. Avahi's callbacks free watches and timeouts, including their own.
 */
#include "discovery/avahi_poll.h"

#include "base/units.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

struct avahi_poll {
    AvahiPoll api;
    struct loop *loop;
};

struct AvahiWatch {
    struct loop_watch watch;
    int fd;        /* Avahi's */
    int duplicate; /* the loop watches this one */
    AvahiWatchEvent happened;
    AvahiWatchCallback callback;
    void *userdata;
};

struct AvahiTimeout {
    struct loop_timer timer;
    AvahiTimeoutCallback callback;
    void *userdata;
};

/* The bits of AvahiWatchEvent are those of poll(2). */
static unsigned loop_events(AvahiWatchEvent events)
{
    unsigned wanted = 0;

    if (events & AVAHI_WATCH_IN)
        wanted |= LOOP_READABLE;
    if (events & AVAHI_WATCH_OUT)
        wanted |= LOOP_WRITABLE;
    return wanted;
}

static void on_watch_ready(unsigned events, void *userdata)
{
    AvahiWatch *watch = userdata;
    unsigned happened = 0;

    if (events & LOOP_READABLE)
        happened |= AVAHI_WATCH_IN;
    if (events & LOOP_WRITABLE)
        happened |= AVAHI_WATCH_OUT;
    if (events & LOOP_HUNG_UP)
        happened |= AVAHI_WATCH_HUP;

    watch->happened = (AvahiWatchEvent)happened;
    watch->callback(watch, watch->fd, watch->happened, watch->userdata);
}

static void watch_free(AvahiWatch *watch)
{
    loop_watch_stop(&watch->watch);
    if (watch->duplicate >= 0)
        close(watch->duplicate);
    free(watch);
}

static AvahiWatch *watch_new(const AvahiPoll *api, int fd, AvahiWatchEvent events,
                             AvahiWatchCallback callback, void *userdata)
{
    const struct avahi_poll *poll = api->userdata;
    AvahiWatch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;

    watch->fd = fd;
    watch->callback = callback;
    watch->userdata = userdata;
    watch->duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (watch->duplicate < 0 || loop_watch_start(&watch->watch, poll->loop, watch->duplicate,
                                                 loop_events(events), on_watch_ready, watch) < 0) {
        watch_free(watch);
        return NULL;
    }

    return watch;
}

static void watch_update(AvahiWatch *watch, AvahiWatchEvent events)
{
    loop_watch_change(&watch->watch, loop_events(events));
}

static AvahiWatchEvent watch_get_events(AvahiWatch *watch)
{
    return watch->happened;
}

/* Avahi's times are times of day. NULL: never. */
static void set_timeout(struct loop_timer *timer, const struct timeval *when)
{
    struct timeval now;

    if (!when) {
        loop_timer_stop(timer);
        return;
    }

    gettimeofday(&now, NULL);
    int64_t delay_us = SECONDS((int64_t)when->tv_sec - now.tv_sec) + when->tv_usec - now.tv_usec;
    loop_timer_start(timer, delay_us > 0 ? delay_us : 0);
}

static void on_timeout_due(void *userdata)
{
    AvahiTimeout *timeout = userdata;

    timeout->callback(timeout, timeout->userdata);
}

static AvahiTimeout *timeout_new(const AvahiPoll *api, const struct timeval *when,
                                 AvahiTimeoutCallback callback, void *userdata)
{
    const struct avahi_poll *poll = api->userdata;
    AvahiTimeout *timeout = calloc(1, sizeof *timeout);
    if (!timeout)
        return NULL;

    timeout->callback = callback;
    timeout->userdata = userdata;
    loop_timer_init(&timeout->timer, poll->loop, on_timeout_due, timeout);
    set_timeout(&timeout->timer, when);
    return timeout;
}

/* libavahi-client does not check whether a timeout could be created. */
static void timeout_update(AvahiTimeout *timeout, const struct timeval *when)
{
    if (timeout)
        set_timeout(&timeout->timer, when);
}

static void timeout_free(AvahiTimeout *timeout)
{
    if (!timeout)
        return;

    loop_timer_stop(&timeout->timer);
    free(timeout);
}

struct avahi_poll *avahi_poll_new(struct loop *loop)
{
    struct avahi_poll *poll = calloc(1, sizeof *poll);
    if (!poll)
        return NULL;

    poll->loop = loop;
    poll->api = (AvahiPoll){.userdata = poll,
                            .watch_new = watch_new,
                            .watch_update = watch_update,
                            .watch_get_events = watch_get_events,
                            .watch_free = watch_free,
                            .timeout_new = timeout_new,
                            .timeout_update = timeout_update,
                            .timeout_free = timeout_free};
    return poll;
}

void avahi_poll_free(struct avahi_poll *poll)
{
    free(poll);
}

const AvahiPoll *avahi_poll_api(const struct avahi_poll *poll)
{
    return &poll->api;
}
