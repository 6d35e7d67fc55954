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
    struct loop *loop;
    tcp_connect_done_fn *on_done;
    void *userdata;
    int descriptor;
    int reason; /* why connect(2) failed at once */
    struct loop_watch watch;
    struct loop_timer timeout;
};

/* Nothing is touched after on_done, which may have freed the dial. */
static void finish_connect(struct tcp_connect *dial, int reason)
{
    int descriptor = dial->descriptor;
    dial->descriptor = -1;
    loop_watch_stop(&dial->watch);
    loop_timer_stop(&dial->timeout);
    if (reason != 0 && descriptor >= 0)
        close(descriptor);
    dial->on_done(reason == 0 ? descriptor : -1, reason, dial->userdata);
}

static void on_writable(unsigned events, void *userdata)
{
    (void)events;

    struct tcp_connect *dial = userdata;
    int reason = 0;
    socklen_t length = sizeof reason;
    if (getsockopt(dial->descriptor, SOL_SOCKET, SO_ERROR, &reason, &length) < 0)
        reason = errno;
    finish_connect(dial, reason);
}

static void on_connect_deadline(void *userdata)
{
    struct tcp_connect *dial = userdata;
    finish_connect(dial, dial->reason ? dial->reason : ETIMEDOUT);
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

struct tcp_connect *tcp_connect_start(struct loop *loop, const struct address *address,
                                      int64_t deadline_us, tcp_connect_done_fn *on_done,
                                      void *userdata)
{
    struct tcp_connect *dial = calloc(1, sizeof *dial);
    if (!dial)
        return NULL;
    *dial = (struct tcp_connect){
        .loop = loop, .on_done = on_done, .userdata = userdata, .descriptor = -1};
    dial->reason = try_to_connect(dial, address);

    loop_timer_init(&dial->timeout, loop, on_connect_deadline, dial);
    if (dial->reason == 0 && loop_watch_start(&dial->watch, loop, dial->descriptor, LOOP_WRITABLE,
                                              on_writable, dial) < 0) {
        tcp_connect_free(dial);
        return NULL;
    }
    loop_timer_start(&dial->timeout, dial->reason == 0 ? deadline_us : 0);
    return dial;
}

void tcp_connect_free(struct tcp_connect *dial)
{
    if (!dial)
        return;
    loop_watch_stop(&dial->watch);
    loop_timer_stop(&dial->timeout);
    if (dial->descriptor >= 0)
        close(dial->descriptor);
    free(dial);
}
