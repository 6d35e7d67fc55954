/*
 * udp.c: one UDP socket, connected to one board, watched by the loop.
 *
 * The socket is connected for three reasons: the 8266 family replies to the port that sent the
 * invitation, forged datagrams from other addresses never arrive, and an ICMP refusal becomes an
 * error of the socket.
 */
#include "net/udp.h"

#include "base/error.h"

#include <errno.h>
#include <unistd.h>

enum {
    DATAGRAMS_PER_TURN = 16, /* a flood must not starve the other boards */
    DATAGRAM_MAX = 1024,     /* the longest meaningful one has about 200 bytes */
    TRIES = 2,               /* for a call that lacks a resource */
};

/* Stops receiving: the loop would otherwise find the same datagram ready in each of its turns. */
static void stop_receiving(struct udp *udp, int reason)
{
    udp->trouble = reason;
    udp->is_deaf = true;
    loop_watch_change(&udp->watch, 0);
}

/* A router that forbids the way is EHOSTUNREACH by ICMP, and EACCES by ICMPv6, which send() has for
 * what this computer itself does not send. */
static int network_error(int reason)
{
    return reason == EACCES ? EHOSTUNREACH : reason;
}

bool udp_receive(struct udp *udp)
{
    int failures = 0;

    for (int i = 0; i < DATAGRAMS_PER_TURN && udp->fd >= 0; i++) {
        char datagram[DATAGRAM_MAX];
        ssize_t got = recv(udp->fd, datagram, sizeof datagram, 0);

        if (got >= 0) {
            udp->on_datagram(datagram, (size_t)got, udp->userdata);
        } else if (errno == EAGAIN) {
            return true;
        } else if (error_is_local(errno)) {
            failures++;
            if (failures == TRIES) {
                stop_receiving(udp, errno);
                return true;
            }
        } else if (errno != EINTR) {
            udp->on_error(network_error(errno), udp->userdata);
        }
    }
    return udp->fd < 0;
}

static void on_udp_readable(unsigned events, void *userdata)
{
    (void)events;
    udp_receive(userdata);
}

static int connect_to(int fd, const struct source *source, const struct address *board)
{
    if (source_bind(fd, source, board) < 0)
        return -1;
    return connect(fd, &board->any, address_length(board));
}

int udp_open(struct udp *udp, const struct source *source, const struct address *board)
{
    udp->fd = socket(board->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->fd < 0)
        return -1;

    if (connect_to(udp->fd, source, board) == 0 &&
        loop_watch_start(&udp->watch, udp->loop, udp->fd, LOOP_READABLE, on_udp_readable, udp) == 0)
        return 0;

    int reason = errno;
    udp_close(udp);
    errno = reason;
    return -1;
}

/* A firewall that rejects a datagram, instead of dropping it, also makes the ICMP error that a
 * router or the board would send. It must not count as theirs. */
static void drop_pending_error(int fd)
{
    int reason;
    socklen_t length = sizeof reason;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &length);
}

int udp_send(struct udp *udp, const void *data, size_t length)
{
    if (udp->is_deaf)
        loop_watch_change(&udp->watch, LOOP_READABLE);
    udp->is_deaf = false;
    udp->trouble = 0;

    /* The first error may belong to an earlier datagram, the second is about this one; only this
     * computer's firewall forbids with EPERM. */
    for (int try = 0; try < TRIES; try++) {
        if (send(udp->fd, data, length, 0) >= 0)
            return 0;
        if (errno == EPERM) {
            drop_pending_error(udp->fd);
            return EPERM;
        }
    }
    if (!error_is_local(errno))
        return errno;

    udp->trouble = errno;
    return 0;
}

bool udp_local(const struct udp *udp, struct address *local)
{
    return address_of_socket(local, udp->fd);
}

void udp_close(struct udp *udp)
{
    loop_watch_stop(&udp->watch);
    if (udp->fd >= 0)
        close(udp->fd);
    udp->fd = -1;
}
