/*
 * listener.c: one TCP listener, and a list of the peers it expects.
 *
 * It never reads or writes a byte of a connection. All boards use one port, which takes one rule in
 * a firewall.
 */
#include "net/listener.h"

#include "base/address_set.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"
#include "net/tcp_tune.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef TCP_RTO_MIN_US
#define TCP_RTO_MIN_US 45 /* Linux 6.16, and newer than many headers */
#endif

enum {
    BACKLOG = 1024,
    WARNINGS_MAX = 5,                    /* rejected connections to warn of */
    ACCEPTS_PER_TURN = 64,               /* a flood of connections must not starve the uploads */
    RESEND_US = MILLISECONDS(50),        /* Linux: 200 ms */
    OUT_OF_FILES_US = MILLISECONDS(100), /* before the next accept(2); connections stay queued */
};

struct expectation {
    struct expectation *next;
    bool anyone;
    struct address peer;
    listener_accept_fn *on_accept;
    void *userdata;
};

/* family 0: none */
struct rejected {
    struct address peer;
    int64_t when_us;
};

struct listener {
    struct loop *loop;
    int fd;
    uint16_t port;
    struct loop_watch watch;
    struct loop_timer rest;
    struct expectation *expectations;
    struct address_set boards; /* peers that sessions have settled on, or taken a connection from */
    unsigned warnings;         /* of rejected connections, at most WARNINGS_MAX */
    struct rejected stranger;  /* the last one */
    struct rejected board;     /* the last one that is in boards */
    int trouble;               /* errno of the last accept(2) that lacked a resource */
};

static bool is_of_peer(const struct expectation *expected, const struct address *peer)
{
    return !expected->anyone && address_equal(&expected->peer, peer);
}

static struct expectation *find_expectation(const struct listener *listener,
                                            const struct address *peer)
{
    for (struct expectation *found = listener->expectations; found; found = found->next)
        if (found->anyone || address_equal(&found->peer, peer))
            return found;
    return NULL;
}

/* Warns a few times only, as a scanner may connect thousands of times, and once of a board that
 * connects in each attempt. A board of this run may connect once too often: it had queued another
 * invitation, or is late. Or it is another board of the run that has this address, too. */
static void reject_connection(struct listener *listener, int fd, const struct address *peer)
{
    char text[ADDRESS_TEXT_MAX + 8];

    close(fd);
    if (address_set_has(&listener->boards, peer)) {
        diag_debug("closed a connection from %s that no upload expects any more",
                   address_text_port(text, peer));
        listener->board = (struct rejected){*peer, loop_now_us()};
        return;
    }
    bool is_known = listener->warnings && address_equal(&listener->stranger.peer, peer);
    listener->stranger = (struct rejected){*peer, loop_now_us()};
    if (listener->warnings == WARNINGS_MAX || is_known)
        return;

    listener->warnings++;
    diag_warning("rejected a connection from %s that no upload expects (a board with two "
                 "interfaces or behind NAT: see --peer)",
                 address_text_port(text, peer));
    if (listener->warnings == WARNINGS_MAX)
        diag_warning("further connections of this kind are rejected silently");
}

/* Without memory, later connections of the board are a stranger's. */
static void note_board(struct listener *listener, const struct address *peer)
{
    (void)address_set_add(&listener->boards, peer);
}

static void hand_over_connection(struct listener *listener, int fd, const struct address *peer)
{
    const struct expectation *expected = find_expectation(listener, peer);
    if (!expected) {
        reject_connection(listener, fd, peer);
        return;
    }

    listener_accept_fn *on_accept = expected->on_accept;
    void *userdata = expected->userdata;

    if (!on_accept(fd, peer, userdata)) {
        close(fd);
        return;
    }
    note_board(listener, peer);
    listener_forget(listener, userdata);
}

static void on_rested(void *userdata)
{
    struct listener *listener = userdata;
    loop_watch_change(&listener->watch, LOOP_READABLE);
}

/* Returns whether another connection may wait. The deadline of its session catches a connection
 * that died in the backlog. Without a free file descriptor the backlog would stay ready and the
 * loop would spin, so the listener pauses. */
static bool handle_accept_error(struct listener *listener, int reason)
{
    bool lacks_resource =
        reason == EMFILE || reason == ENFILE || reason == ENOBUFS || reason == ENOMEM;

    listener->trouble = lacks_resource ? reason : 0;
    if (reason == EAGAIN)
        return false;

    diag_debug("accepting a connection: %s", strerror(reason));
    if (lacks_resource) {
        loop_timer_start(&listener->rest, OUT_OF_FILES_US);
        loop_watch_change(&listener->watch, 0);
    }
    return !lacks_resource;
}

/* Returns whether another connection may wait. */
static bool accept_connection(struct listener *listener)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    struct address peer;
    int fd =
        accept4(listener->fd, (struct sockaddr *)&storage, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return handle_accept_error(listener, errno);

    listener->trouble = 0;
    if (address_from(&peer, (struct sockaddr *)&storage, length))
        hand_over_connection(listener, fd, &peer);
    else
        close(fd);
    return true;
}

static void on_connection(unsigned events, void *userdata)
{
    (void)events;

    for (int i = 0; i < ACCEPTS_PER_TURN; i++)
        if (!accept_connection(userdata))
            return;
}

/* The backlog holds one connection more than listen(2) was told. Later connections are queued
 * behind these. */
int listener_empty(struct listener *listener)
{
    for (int i = 0; i <= BACKLOG; i++)
        if (!accept_connection(listener))
            break;
    return listener_trouble(listener);
}

/* IPv6 sockets accept IPv4 connections, too. If the kernel has no IPv6, IPv4 alone is used. */
static int open_socket(const struct address *own, struct address *local)
{
    int family = own ? own->any.sa_family : AF_INET6;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && !own) {
        family = AF_INET;
        fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0)
        return -1;

    int on = 1;
    int v6_only = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6 && !own)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);

    if (own) {
        *local = *own;
    } else {
        memset(local, 0, sizeof *local);
        local->any.sa_family = (sa_family_t)family;
    }
    return fd;
}

/* In a window of four segments, too few segments follow a lost one to trigger a fast retransmission
 * by duplicate acknowledgements. The loss is repaired only after the time-out, so its minimum is
 * lowered. Best effort: older kernels lack the option. */
static void resend_soon(int fd)
{
    int us = RESEND_US;
    setsockopt(fd, IPPROTO_TCP, TCP_RTO_MIN_US, &us, sizeof us);
}

static int bind_and_listen(int fd, const struct address *local)
{
    tcp_send_without_pacing(fd);
    resend_soon(fd);
    if (bind(fd, &local->any, address_length(local)) < 0)
        return -1;
    return listen(fd, BACKLOG);
}

static enum ota_error describe_listen_failure(struct ota_failure *failure,
                                              const struct source *source, uint16_t port_first,
                                              uint16_t port_last, int reason)
{
    char where[SOURCE_TEXT_MAX];
    char ports[40] = "any port";

    if (port_last != port_first)
        snprintf(ports, sizeof ports, "any TCP port from %u to %u", port_first, port_last);
    else if (port_first)
        snprintf(ports, sizeof ports, "TCP port %u", port_first);
    if (!source_is_any(source) && reason == EADDRNOTAVAIL) {
        ota_fail(failure, OTA_E_NO_PORT, "%s (-I) is not an address of this computer",
                 source_text(where, source));
        failure->cause = OTA_CAUSE_WRONG_SOURCE;
        return failure->error;
    }
    return ota_fail_errno(failure, OTA_E_NO_PORT, reason, "cannot listen on %s of %s: %s", ports,
                          source_text(where, source), strerror(reason));
}

/* Each port gets a new socket: one that fails in listen(2) with EADDRINUSE cannot be bound
 * again. */
static int listen_on_first_free(const struct source *source, uint16_t port_first,
                                uint16_t port_last)
{
    const struct address *own = source->has_address ? &source->address : NULL;

    for (unsigned port = port_first; port <= port_last; port++) {
        struct address local;
        int fd = open_socket(own, &local);
        if (fd < 0)
            return -1;

        address_set_port(&local, (uint16_t)port);
        if ((own || source_bind(fd, source, NULL) == 0) && bind_and_listen(fd, &local) == 0)
            return fd;

        int reason = errno;
        close(fd);
        errno = reason;
        if (reason != EADDRINUSE && reason != EACCES)
            return -1;
    }
    return -1;
}

struct listener *listener_open(struct loop *loop, const struct source *source, uint16_t port_first,
                               uint16_t port_last, struct ota_failure *failure)
{
    struct listener *listener = calloc(1, sizeof *listener);
    struct address local;
    if (!listener) {
        ota_fail_no_memory(failure);
        return NULL;
    }

    listener->loop = loop;
    listener->fd = listen_on_first_free(source, port_first, port_last);
    if (listener->fd < 0) {
        describe_listen_failure(failure, source, port_first, port_last, errno);
        free(listener);
        return NULL;
    }

    listener->port = address_of_socket(&local, listener->fd) ? address_port(&local) : 0;
    loop_timer_init(&listener->rest, loop, on_rested, listener);
    if (!listener->port || loop_watch_start(&listener->watch, loop, listener->fd, LOOP_READABLE,
                                            on_connection, listener) < 0) {
        ota_fail_call(failure, "cannot watch the back-channel's port");
        listener_close(listener);
        return NULL;
    }
    return listener;
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;

    while (listener->expectations) {
        struct expectation *next = listener->expectations->next;
        free(listener->expectations);
        listener->expectations = next;
    }
    address_set_clear(&listener->boards);
    loop_watch_stop(&listener->watch);
    loop_timer_stop(&listener->rest);
    close(listener->fd);
    free(listener);
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

static const struct address *find_rejected(const struct rejected *rejected, int64_t since_us)
{
    return rejected->peer.any.sa_family && rejected->when_us >= since_us ? &rejected->peer : NULL;
}

const struct address *listener_stranger(const struct listener *listener, int64_t since_us)
{
    return find_rejected(&listener->stranger, since_us);
}

const struct address *listener_board(const struct listener *listener, int64_t since_us)
{
    return find_rejected(&listener->board, since_us);
}

/* The backlog may have been empty when the last accept(2) failed. */
int listener_trouble(const struct listener *listener)
{
    struct pollfd queue = {.fd = listener->fd, .events = POLLIN};
    return listener->trouble && poll(&queue, 1, 0) > 0 ? listener->trouble : 0;
}

bool listener_is_expecting(const struct listener *listener, const struct address *peer)
{
    for (const struct expectation *other = listener->expectations; other; other = other->next)
        if (peer ? is_of_peer(other, peer) : other->anyone)
            return true;
    return false;
}

int listener_expect(struct listener *listener, const struct address *peer,
                    listener_accept_fn *on_accept, void *userdata)
{
    for (const struct expectation *other = listener->expectations; other; other = other->next) {
        bool is_ours = other->userdata == userdata;
        bool is_same_peer = peer ? is_of_peer(other, peer) : is_ours && other->anyone;

        if (!is_same_peer)
            continue;

        errno = EEXIST;
        return is_ours ? 0 : -1;
    }

    struct expectation *expected = calloc(1, sizeof *expected);
    if (!expected)
        return -1;

    *expected = (struct expectation){.next = listener->expectations,
                                     .anyone = !peer,
                                     .on_accept = on_accept,
                                     .userdata = userdata};
    if (peer)
        expected->peer = *peer;
    listener->expectations = expected;
    return 0;
}

/* Ends the expectations of userdata, except the one for keep (NULL: all of them). */
static void forget_all_but(struct listener *listener, const void *userdata,
                           const struct address *keep)
{
    struct expectation **link = &listener->expectations;

    while (*link) {
        struct expectation *found = *link;
        bool is_kept = keep && is_of_peer(found, keep);

        if (found->userdata != userdata || is_kept) {
            link = &found->next;
            continue;
        }

        *link = found->next;
        free(found);
    }
}

void listener_keep(struct listener *listener, const struct address *peer, const void *userdata)
{
    note_board(listener, peer);
    forget_all_but(listener, userdata, peer);
}

void listener_forget(struct listener *listener, const void *userdata)
{
    forget_all_but(listener, userdata, NULL);
}
