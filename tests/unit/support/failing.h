/*
 * failing.h: lets one call to the C library fail when a unit test asks for it, and counts open file
 * descriptors. Link with FAILING_CALLS (CMakeLists.txt).
 */
#ifndef FAILING_H
#define FAILING_H

#include <stdbool.h>

enum failing_call {
    FAILING_ALLOCATION, /* malloc, calloc, realloc, strdup, strndup */
    FAILING_SOCKET,
    FAILING_SOCKETPAIR,
    FAILING_CONNECT,
    FAILING_GETSOCKOPT,
    FAILING_GETSOCKNAME,
    FAILING_ACCEPT,
    FAILING_SEND,
    FAILING_RECV,
    FAILING_FCNTL,
    FAILING_DUP2,
    FAILING_PRCTL,
    FAILING_GETPPID,
    FAILING_WAITPID,
    FAILING_OPEN,
    FAILING_CLOSE, /* closes all the same, as on Linux */
    FAILING_STAT,
    FAILING_FSTAT,
    FAILING_WRITE,
    FAILING_FCHOWN,
    FAILING_FCHMOD,
    FAILING_FSYNC,
    FAILING_MKSTEMP,
    FAILING_RENAME,
    FAILING_REALPATH,
    FAILING_POLL,
    FAILING_PIPE2,
    FAILING_FORK,
    FAILING_EPOLL_CREATE,
    FAILING_EPOLL_CTL,
    FAILING_EPOLL_WAIT,
};

/* After this many successful calls, one fails with errno set to error; also in a child. */
void failing_start(enum failing_call call, int after, int error);
/* From now on all calls fail. */
void failing_start_for_good(enum failing_call call, int error);
/* Whether a call has failed in this process. From now on all succeed. */
bool failing_stop(void);
/* The number of calls that have failed since failing_start_for_good(). */
int failing_count_failed(void);

/* Skips a test of many failing allocations in valgrind: libcrypto leaks when its own fail, and each
 * run takes seconds there. AddressSanitizer sees what is ours. */
void failing_skip_in_valgrind(void);

/* The number of open file descriptors. */
int failing_count_open(void);

#endif
