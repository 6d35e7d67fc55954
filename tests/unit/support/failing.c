/*
 * failing.c: replacements for functions of the C library, which the linker puts in their place
 * (--wrap).
 */
#include "support/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static enum failing_call failing;
static int calls_left = -1; /* calls that succeed; negative: all do */
static bool is_for_good;
static int reason;

void failing_skip_in_valgrind(void)
{
    if (getenv("ESP_OTA_VALGRIND"))
        skip();
}

void failing_start(enum failing_call call, int after, int error)
{
    failing = call;
    reason = error;
    calls_left = after;
}

void failing_start_for_good(enum failing_call call, int error)
{
    failing_start(call, 0, error);
    is_for_good = true;
}

bool failing_stop(void)
{
    bool has_failed = calls_left < 0;

    is_for_good = false;
    calls_left = -1;
    return has_failed;
}

int failing_count_failed(void)
{
    return is_for_good ? -calls_left : 0;
}

int failing_count_open(void)
{
    int count = 0;

    for (int i = 0; i < 1024; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

static bool fails(enum failing_call call)
{
    bool is_wanted = call == failing && (calls_left >= 0 || is_for_good);

    if (!is_wanted || calls_left-- > 0)
        return false;
    errno = reason;
    return true;
}

/* Defines a function that returns a failure or calls the real one. */
#define WRAP(type, name, call, failed, parameters, arguments)                                      \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails(call) ? (failed) : __real_##name arguments;                                   \
    }

WRAP(void *, malloc, FAILING_ALLOCATION, NULL, (size_t size), (size))
WRAP(void *, calloc, FAILING_ALLOCATION, NULL, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, FAILING_ALLOCATION, NULL, (void *memory, size_t size), (memory, size))
WRAP(char *, strdup, FAILING_ALLOCATION, NULL, (const char *text), (text))
WRAP(char *, strndup, FAILING_ALLOCATION, NULL, (const char *text, size_t size), (text, size))
WRAP(int, socket, FAILING_SOCKET, -1, (int domain, int type, int protocol),
     (domain, type, protocol))
WRAP(int, socketpair, FAILING_SOCKETPAIR, -1, (int domain, int type, int protocol, int sockets[2]),
     (domain, type, protocol, sockets))
WRAP(int, connect, FAILING_CONNECT, -1, (int fd, const struct sockaddr *peer, socklen_t length),
     (fd, peer, length))
WRAP(int, getsockopt, FAILING_GETSOCKOPT, -1,
     (int fd, int level, int name, void *value, socklen_t *length),
     (fd, level, name, value, length))
WRAP(int, getsockname, FAILING_GETSOCKNAME, -1,
     (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))
WRAP(int, accept4, FAILING_ACCEPT, -1,
     (int fd, struct sockaddr *peer, socklen_t *length, int flags), (fd, peer, length, flags))
WRAP(ssize_t, send, FAILING_SEND, -1, (int fd, const void *data, size_t size, int flags),
     (fd, data, size, flags))
WRAP(ssize_t, recv, FAILING_RECV, -1, (int fd, void *data, size_t size, int flags),
     (fd, data, size, flags))
WRAP(int, dup2, FAILING_DUP2, -1, (int from, int to), (from, to))
WRAP(pid_t, fork, FAILING_FORK, -1, (void), ())
WRAP(pid_t, getppid, FAILING_GETPPID, -1, (void), ())
WRAP(pid_t, waitpid, FAILING_WAITPID, -1, (pid_t pid, int *status, int options),
     (pid, status, options))
WRAP(int, stat, FAILING_STAT, -1, (const char *path, struct stat *status), (path, status))
WRAP(int, fstat, FAILING_FSTAT, -1, (int fd, struct stat *status), (fd, status))
WRAP(ssize_t, write, FAILING_WRITE, -1, (int fd, const void *data, size_t size), (fd, data, size))
WRAP(int, fchown, FAILING_FCHOWN, -1, (int fd, uid_t owner, gid_t group), (fd, owner, group))
WRAP(int, fchmod, FAILING_FCHMOD, -1, (int fd, mode_t mode), (fd, mode))
WRAP(int, fsync, FAILING_FSYNC, -1, (int fd), (fd))
WRAP(int, mkstemp, FAILING_MKSTEMP, -1, (char *template), (template))
WRAP(int, rename, FAILING_RENAME, -1, (const char *from, const char *to), (from, to))
WRAP(int, poll, FAILING_POLL, -1, (struct pollfd * pollfds, nfds_t count, int timeout_ms),
     (pollfds, count, timeout_ms))
WRAP(int, pipe2, FAILING_PIPE2, -1, (int ends[2], int flags), (ends, flags))
WRAP(int, epoll_create1, FAILING_EPOLL_CREATE, -1, (int flags), (flags))
WRAP(int, epoll_ctl, FAILING_EPOLL_CTL, -1,
     (int epoll, int operation, int fd, struct epoll_event *event), (epoll, operation, fd, event))
WRAP(int, epoll_wait, FAILING_EPOLL_WAIT, -1,
     (int epoll, struct epoll_event *events, int count, int timeout_ms),
     (epoll, events, count, timeout_ms))
WRAP(char *, realpath, FAILING_REALPATH, NULL, (const char *path, char *resolved), (path, resolved))

/* These take any number of arguments; as many are passed on as the C library reads. */
WRAP(int, open, FAILING_OPEN, -1, (const char *path, int flags, mode_t mode), (path, flags, mode))
WRAP(int, fcntl, FAILING_FCNTL, -1, (int fd, int command, void *argument), (fd, command, argument))
WRAP(int, prctl, FAILING_PRCTL, -1,
     (int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d),
     (option, a, b, c, d))

/* With _FORTIFY_SOURCE, as in packages, open() with flags that are not constant, and realpath()
 * into an array, are these. */
int __wrap___open_2(const char *path, int flags);
char *__wrap___realpath_chk(const char *path, char *resolved, size_t size);

int __wrap___open_2(const char *path, int flags)
{
    return __wrap_open(path, flags, 0);
}

char *__wrap___realpath_chk(const char *path, char *resolved, size_t size)
{
    (void)size;
    return __wrap_realpath(path, resolved);
}

/* libcrypto leaks when its allocations fail; LeakSanitizer calls this. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libcrypto.so";
}

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
    int rc = __real_close(fd);

    return fails(FAILING_CLOSE) ? -1 : rc;
}
