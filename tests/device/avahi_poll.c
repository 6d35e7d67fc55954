/* Avahi's watches and timeouts, each with a watch or timer of the loop. A callback may free its
 * watch or timeout, so nothing is done after the call. */
#include "avahi_poll.h"

#include <avahi-common/timeval.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

_Static_assert(EPOLLIN == (int)AVAHI_WATCH_IN && EPOLLOUT == (int)AVAHI_WATCH_OUT &&
                   EPOLLERR == (int)AVAHI_WATCH_ERR && EPOLLHUP == (int)AVAHI_WATCH_HUP,
               "both are the events of poll(2)");

struct AvahiWatch {
    struct loop *loop;
    struct watch watch;
    AvahiWatchCallback callback;
    void *userdata;
    AvahiWatchEvent happened;
    int avahi_fd;
    int fd; /* a duplicate, as libdbus sets two watches on one fd, and epoll allows one */
};

struct AvahiTimeout {
    struct loop *loop;
    struct timer timer;
    AvahiTimeoutCallback callback;
    void *userdata;
};

static void call_avahi_watch(void *owner, uint32_t events)
{
    AvahiWatch *watch = owner;
    watch->happened = (AvahiWatchEvent)events;
    watch->callback(watch, watch->avahi_fd, watch->happened, watch->userdata);
}

/* A watch without events is removed from epoll, which would still report errors and hang-ups. */
static void watch_update(AvahiWatch *watch, AvahiWatchEvent events)
{
    watch_remove(watch->loop, &watch->watch);
    if (events)
        watch_add(watch->loop, &watch->watch, watch->fd, (uint32_t)events);
}

static AvahiWatchEvent watch_get_events(AvahiWatch *watch)
{
    return watch->happened;
}

static void watch_free(AvahiWatch *watch)
{
    watch_remove(watch->loop, &watch->watch);
    close(watch->fd);
    free(watch);
}

static AvahiWatch *watch_new(const AvahiPoll *poll, int fd, AvahiWatchEvent events,
                             AvahiWatchCallback callback, void *userdata)
{
    AvahiWatch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;

    watch->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (watch->fd < 0) {
        free(watch);
        return NULL;
    }

    watch->loop = poll->userdata;
    watch->callback = callback;
    watch->userdata = userdata;
    watch->avahi_fd = fd;
    watch->watch = (struct watch){.ready = call_avahi_watch, .owner = watch, .fd = -1};
    watch_update(watch, events);
    return watch;
}

static void timeout_expired(void *owner)
{
    AvahiTimeout *timeout = owner;
    timeout->callback(timeout, timeout->userdata);
}

/* due is a time of day, as in all of Avahi. NULL: never. */
static void timeout_update(AvahiTimeout *timeout, const struct timeval *due)
{
    timer_stop(timeout->loop, &timeout->timer);
    if (!due)
        return;

    AvahiUsec delay_us = -avahi_age(due);
    timer_start(timeout->loop, &timeout->timer, delay_us > 0 ? delay_us : 0);
}

static void timeout_free(AvahiTimeout *timeout)
{
    timer_stop(timeout->loop, &timeout->timer);
    free(timeout);
}

static AvahiTimeout *timeout_new(const AvahiPoll *poll, const struct timeval *due,
                                 AvahiTimeoutCallback callback, void *userdata)
{
    AvahiTimeout *timeout = calloc(1, sizeof *timeout);
    if (!timeout)
        return NULL;

    timeout->loop = poll->userdata;
    timeout->timer = (struct timer){.expired = timeout_expired, .owner = timeout};
    timeout->callback = callback;
    timeout->userdata = userdata;
    timeout_update(timeout, due);
    return timeout;
}

void avahi_poll_set_up(AvahiPoll *poll, struct loop *loop)
{
    *poll = (AvahiPoll){.userdata = loop,
                        .watch_new = watch_new,
                        .watch_update = watch_update,
                        .watch_get_events = watch_get_events,
                        .watch_free = watch_free,
                        .timeout_new = timeout_new,
                        .timeout_update = timeout_update,
                        .timeout_free = timeout_free};
}
