/*
 * late-send.c: for LD_PRELOAD, by test_web.py: a send() that comes too late. Once 100,000 bytes
 * have left by a socket, the next send() there opens the FIFO LATE_SEND_FIFO, which tells the peer,
 * and goes on when the peer has reset the connection. What the peer said before that is there,
 * unread.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SOCKETS = 1024, EARLY_BYTES = 100000, WAIT_MS = 60000 };

static void wait_for_reset(int fd)
{
    struct pollfd reset = {.fd = fd};
    const char *path = getenv("LATE_SEND_FIFO");
    int fifo = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

    if (fifo >= 0)
        close(fifo);
    poll(&reset, 1, WAIT_MS);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    static size_t sent[SOCKETS];
    ssize_t result;

    if (fd >= 0 && fd < SOCKETS && sent[fd] >= EARLY_BYTES) {
        sent[fd] = 0;
        wait_for_reset(fd);
    }
    result = syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
    if (fd >= 0 && fd < SOCKETS && result > 0)
        sent[fd] += (size_t)result;
    return result;
}
