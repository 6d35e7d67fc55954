/*
 * tcp_connect.c: a non-blocking connect(2). What is said on the connection, and what a failure means, is
 * for others to know.
 */
#include "net/tcp_connect.h"

#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct tcp_connect {
    const AvahiPoll *poll_api;
    tcp_connect_done_fn *on_done;
    void *userdata;
    int descriptor;
    int reason; /* why connect(2) failed at once */
    AvahiWatch *watch;
    AvahiTimeout *timeout;
};

/* Nothing is touched after on_done, which may have freed the dial. */
static void finish(struct tcp_connect *dial, int reason)
{
    int descriptor = dial->descriptor;
    dial->descriptor = -1;
    if (dial->watch)
        dial->poll_api->watch_free(dial->watch);
    dial->watch = NULL;
    loop_arm(dial->poll_api, &dial->timeout, -1, NULL, NULL);
    if (reason != 0 && descriptor >= 0)
        close(descriptor);
    dial->on_done(reason == 0 ? descriptor : -1, reason, dial->userdata);
}

static void on_writable(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *userdata)
{
    (void)watch;
    (void)event;
    int reason = 0;
    socklen_t length = sizeof reason;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &length) < 0)
        reason = errno;
    finish(userdata, reason);
}

static void on_deadline(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    struct tcp_connect *dial = userdata;
    finish(dial, dial->reason ? dial->reason : ETIMEDOUT);
}

/* Returns 0, or why nothing is under way. */
static int try_to_connect(struct tcp_connect *dial, const struct address *address)
{
    dial->descriptor =
        socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->descriptor < 0)
        return errno;
    if (connect(dial->descriptor, &address->any, address_length(address)) == 0)
        return 0; /* writable already */
    return errno == EINPROGRESS ? 0 : errno;
}

struct tcp_connect *tcp_connect_start(const AvahiPoll *poll_api, const struct address *address,
                                      int64_t deadline_us, tcp_connect_done_fn *on_done,
                                      void *userdata)
{
    struct tcp_connect *dial = calloc(1, sizeof *dial);
    if (!dial)
        return NULL;
    *dial = (struct tcp_connect){
        .poll_api = poll_api, .on_done = on_done, .userdata = userdata, .descriptor = -1};
    dial->reason = try_to_connect(dial, address);
    if (dial->reason == 0)
        dial->watch =
            poll_api->watch_new(poll_api, dial->descriptor, AVAHI_WATCH_OUT, on_writable, dial);
    int64_t delay_us = dial->reason == 0 ? deadline_us : 0;
    if ((dial->reason == 0 && !dial->watch) ||
        loop_arm(poll_api, &dial->timeout, delay_us, on_deadline, dial) < 0) {
        tcp_connect_free(dial);
        return NULL;
    }
    return dial;
}

void tcp_connect_free(struct tcp_connect *dial)
{
    if (!dial)
        return;
    if (dial->watch)
        dial->poll_api->watch_free(dial->watch);
    if (dial->timeout)
        dial->poll_api->timeout_free(dial->timeout);
    if (dial->descriptor >= 0)
        close(dial->descriptor);
    free(dial);
}
