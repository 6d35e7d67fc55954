/*
 * tcp_connect.c: a non-blocking connect(2), and a timer for its deadline.
 */
#include "net/tcp_connect.h"

#include "base/error.h"
#include "base/loop.h"
#include "net/source.h"
#include "net/tcp_tune.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tcp_connect {
    struct loop *loop;
    tcp_connect_done_fn *on_done;
    void *userdata;
    int fd;
    int reason; /* errno of what failed at once */
    struct loop_watch watch;
    struct loop_timer timeout;
};

/* Nothing is touched after on_done, which may have freed the attempt. */
static void finish_connect(struct tcp_connect *attempt, int reason)
{
    int fd = attempt->fd;

    attempt->fd = -1;
    loop_watch_stop(&attempt->watch);
    loop_timer_stop(&attempt->timeout);
    if (reason != 0 && fd >= 0)
        close(fd);
    attempt->on_done(reason == 0 ? fd : -1, reason, attempt->userdata);
}

static void on_writable(unsigned events, void *userdata)
{
    struct tcp_connect *attempt = userdata;
    int reason = 0;
    socklen_t length = sizeof reason;

    (void)events;
    if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &reason, &length) < 0)
        reason = errno;
    finish_connect(attempt, reason);
}

static void on_connect_deadline(void *userdata)
{
    struct tcp_connect *attempt = userdata;
    finish_connect(attempt, attempt->reason ? attempt->reason : ETIMEDOUT);
}

/* Returns 0, or the errno of a call that failed at once. */
static int begin_connecting(struct tcp_connect *attempt, const struct address *address,
                            const struct source *source, bool is_upload)
{
    attempt->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (attempt->fd < 0)
        return errno;
    if (is_upload)
        tcp_send_without_pacing(attempt->fd);
    if (source_bind(attempt->fd, source, address) < 0)
        return errno;

    if (connect(attempt->fd, &address->any, address_length(address)) == 0)
        return 0; /* writable already */
    return errno == EINPROGRESS ? 0 : errno;
}

/* Waits for the outcome of begin_connecting(). */
static void watch_attempt(struct tcp_connect *attempt, int64_t deadline_us)
{
    struct loop *loop = attempt->loop;

    loop_timer_init(&attempt->timeout, loop, on_connect_deadline, attempt);
    if (attempt->reason == 0 && loop_watch_start(&attempt->watch, loop, attempt->fd, LOOP_WRITABLE,
                                                 on_writable, attempt) < 0)
        attempt->reason = errno;
    loop_timer_start(&attempt->timeout, attempt->reason == 0 ? deadline_us : 0);
}

static struct tcp_connect *allocate_attempt(struct loop *loop, tcp_connect_done_fn *on_done,
                                            void *userdata)
{
    struct tcp_connect *attempt = calloc(1, sizeof *attempt);

    if (attempt)
        *attempt =
            (struct tcp_connect){.loop = loop, .on_done = on_done, .userdata = userdata, .fd = -1};
    return attempt;
}

struct tcp_connect *tcp_connect_start(struct loop *loop, const struct address *address,
                                      const struct source *source, int64_t deadline_us,
                                      tcp_connect_done_fn *on_done, void *userdata)
{
    struct tcp_connect *attempt = allocate_attempt(loop, on_done, userdata);
    if (!attempt)
        return NULL;

    attempt->reason = begin_connecting(attempt, address, source, false);
    watch_attempt(attempt, deadline_us);
    return attempt;
}

struct tcp_connect *tcp_connect_upload(struct loop *loop, const struct address *address,
                                       const struct source *source, int64_t deadline_us,
                                       tcp_connect_done_fn *on_done, void *userdata)
{
    struct tcp_connect *attempt = allocate_attempt(loop, on_done, userdata);
    if (!attempt)
        return NULL;

    attempt->reason = begin_connecting(attempt, address, source, true);
    watch_attempt(attempt, deadline_us);
    return attempt;
}

void tcp_connect_free(struct tcp_connect *attempt)
{
    if (!attempt)
        return;
    loop_watch_stop(&attempt->watch);
    loop_timer_stop(&attempt->timeout);
    if (attempt->fd >= 0)
        close(attempt->fd);
    free(attempt);
}

void tcp_connect_fail(struct ota_failure *failure, int reason, const char *place,
                      int64_t deadline_us)
{
    if (reason == ECONNREFUSED)
        ota_fail(failure, OTA_E_NOT_LISTENING, "nothing listens at %s", place);
    else if (reason == ETIMEDOUT)
        ota_fail(failure, OTA_E_NO_ANSWER, "no connection to %s within %.0f s", place,
                 (double)deadline_us / 1e6);
    else if (reason == EPERM || reason == EACCES || reason == EINVAL || reason == EADDRNOTAVAIL ||
             reason == EAFNOSUPPORT)
        ota_fail(failure, OTA_E_LOCAL, "this computer cannot connect to %s: %s", place,
                 strerror(reason));
    else
        ota_fail_errno(failure, OTA_E_UNREACHABLE, reason, "no connection to %s: %s", place,
                       strerror(reason));
    if (failure->cause == OTA_CAUSE_NONE)
        failure->cause = error_way_cause(reason);
}
