/*
 * stdio_guard.c: opens closed standard file descriptors, and polls descriptors before it writes.
 */
#include "base/stdio_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static sigset_t deferred; /* none at first */

void stdio_guard_secure(void)
{
    signal(SIGXFSZ, SIG_IGN);

    /* open(2) returns the lowest free number, and all lower ones are open already. Where there is
     * no /dev/null, what is opened with O_PATH fails the same way on every read and write. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            (void)!open("/", O_PATH);
}

bool stdio_guard_has_no_input(void)
{
    const int flags = fcntl(STDIN_FILENO, F_GETFL);
    struct stat input, null;

    if (flags < 0 || (flags & O_PATH))
        return true;
    return (flags & O_ACCMODE) == O_WRONLY && fstat(STDIN_FILENO, &input) == 0 &&
           stat("/dev/null", &null) == 0 && S_ISCHR(input.st_mode) && input.st_rdev == null.st_rdev;
}

void stdio_guard_defer(int number)
{
    sigaddset(&deferred, number);
}

void stdio_guard_discard(int fd)
{
    const bool is_shown = fd == STDERR_FILENO && isatty(STDOUT_FILENO);
    int other = is_shown ? STDOUT_FILENO : open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (other < 0) /* as above; what fd led to gets no byte */
        other = open("/", O_PATH | O_CLOEXEC);
    if (other < 0)
        return;
    dup2(other, fd);
    if (!is_shown)
        close(other);
}

bool stdio_guard_takes(int fd, int patience_ms)
{
    struct pollfd file = {.fd = fd, .events = POLLOUT};
    sigset_t before;

    sigprocmask(SIG_BLOCK, &deferred, &before);
    int ready = poll(&file, 1, patience_ms > 0 && isatty(fd) ? -1 : patience_ms);
    while (ready < 0 && errno == EINTR && patience_ms == STDIO_GUARD_NO_LIMIT)
        ready = poll(&file, 1, patience_ms);
    sigprocmask(SIG_SETMASK, &before, NULL);

    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0;
}

int stdio_guard_rest(void)
{
    stdio_guard_takes(-1, STDIO_GUARD_REST_MS);
    return errno == ETIMEDOUT ? 0 : errno;
}

/* A pipe with room for a byte has room for PIPE_BUF; a longer write could wait for the reader. */
int stdio_guard_write(int fd, const void *data, size_t size, int patience_ms)
{
    const char *rest = data;

    while (size > 0) {
        if (!stdio_guard_takes(fd, patience_ms))
            return errno;

        ssize_t count = write(fd, rest, size < PIPE_BUF ? size : PIPE_BUF);
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            return errno;
        if (count < 0 && errno == EAGAIN) {
            const int error = stdio_guard_rest();

            if (error && patience_ms != STDIO_GUARD_NO_LIMIT)
                return error;
        }
        if (count > 0) {
            rest += count;
            size -= (size_t)count;
        }
    }
    return 0;
}
