/* Uses a socket filter to drop every segment, and TCP_REPAIR: in this mode sockets connect and
 * close silently. */
#include "silence.h"

#include "address.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <unistd.h>

static void let_nothing_in(int fd)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {.len = 1, .filter = &drop};
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static bool enter_repair(int fd)
{
    const int on = 1;
    return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == 0;
}

/* Keeps the port while no connection has it: the kernel would answer a late acknowledgement with a
 * reset. -1: another listener has the port. */
static int guard_port(const struct address *here)
{
    int fd = socket(here->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;

    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    let_nothing_in(fd);
    if (bind(fd, (const struct sockaddr *)&here->storage, here->length) == 0 && listen(fd, 0) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Makes a connection between the same ends. It has never sent data, so it retransmits nothing. */
static int stand_in(const struct address *here, const struct address *peer)
{
    int fd = socket(here->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;

    /* silence_port() also binds this port. */
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    let_nothing_in(fd);
    if (enter_repair(fd) && bind(fd, (const struct sockaddr *)&here->storage, here->length) == 0 &&
        connect(fd, (const struct sockaddr *)&peer->storage, peer->length) == 0)
        return fd;
    close(fd);
    return -1;
}

int silence_begin(int fd)
{
    struct address here = {.length = sizeof here.storage}, peer = {.length = sizeof peer.storage};
    bool known = getsockname(fd, (struct sockaddr *)&here.storage, &here.length) == 0 &&
                 getpeername(fd, (struct sockaddr *)&peer.storage, &peer.length) == 0;
    let_nothing_in(fd);
    if (!known || !enter_repair(fd)) /* which also lets others bind the port */
        return fd;

    int guard = guard_port(&here);
    close(fd);
    fd = stand_in(&here, &peer);
    if (guard >= 0)
        close(guard);
    return fd;
}

void silence_end(int fd)
{
    const struct linger reset = {.l_onoff = 1};
    if (fd < 0)
        return;
    if (!enter_repair(fd))
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

/* Makes a listener whose queue is full, so the kernel ignores further connections. The connection
 * that fills it is made on this machine by the kernel, and keeps its place after it was closed. */
int silence_port(const struct address *address)
{
    int fd = address_bind(address, SOCK_STREAM);
    if (fd < 0)
        return -1;

    int filler = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listen(fd, 0) == 0 && filler >= 0)
        (void)connect(filler, (const struct sockaddr *)&address->storage, address->length);
    if (filler >= 0)
        close(filler);
    return fd;
}
