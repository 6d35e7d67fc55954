/*
 * stdio_guard.c: opens closed standard file descriptors, and polls them for output.
 */
#include "base/stdio_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

void stdio_guard_secure(void)
{
    signal(SIGXFSZ, SIG_IGN);

    /* open(2) returns the lowest free number, and all lower ones are open already. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

bool stdio_guard_takes(int fd, int patience_ms)
{
    struct pollfd file = {.fd = fd, .events = POLLOUT};
    return poll(&file, 1, patience_ms) > 0;
}
