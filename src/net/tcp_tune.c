/* tcp_tune.c: socket options and ioctls of Linux. */
#include "net/tcp_tune.h"

#include "base/units.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { PROBE_AFTER_S = 1, PROBE_EVERY_S = 1, PROBES_MAX = 10 };
enum { UNSENT_MAX = 16 * 1024, BULK_SIZE = 64 * 1024 };

const int64_t TCP_AWAY_US = MILLISECONDS(1500);

void tcp_send_without_pacing(int fd)
{
    static const char RENO[] = "reno";

    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, RENO, sizeof RENO - 1);
}

void tcp_tune(int fd)
{
    int on = 1, unsent = UNSENT_MAX;
    int idle_s = PROBE_AFTER_S, interval_s = PROBE_EVERY_S, count = PROBES_MAX;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/* The kernel doubles the size, for its own use, and reports room once a third of it is free. */
void tcp_send_in_bulk(int fd)
{
    int size = BULK_SIZE, unsent = 2 * BULK_SIZE;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

static size_t count_queued(int fd, unsigned long request)
{
    int bytes = 0;

    return ioctl(fd, request, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

size_t tcp_unacknowledged(int fd)
{
    return count_queued(fd, SIOCOUTQ);
}

size_t tcp_unsent(int fd)
{
    return count_queued(fd, SIOCOUTQNSD);
}

uint64_t tcp_received(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

int64_t tcp_silent_us(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return 0;
    return MILLISECONDS((int64_t)info.tcpi_last_ack_recv);
}

int64_t tcp_send_limit_us(size_t size)
{
    return SECONDS((int64_t)(size / TCP_SLOWEST_RATE + 1));
}

void tcp_reset_on_close(int fd)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}
