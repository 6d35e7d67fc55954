/*
 * nursery.c: the copy waits for requests on a socket. The processes that it starts are children of
 * its parent (CLONE_PARENT), so the parent can wait for them and end them. The global state is the
 * socket, the process at its other end, and why there is none.
 */
#include "base/nursery.h"

#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Generous: a request takes one fork. */
enum { REQUEST_TIMEOUT_MS = 5000, NURSERY_SOCKET = 3 };

struct fork_request {
    void (*run)(int, const char *);
    bool has_argument;
    char argument[NURSERY_ARGUMENT_MAX + 1];
};

struct outcome {
    pid_t pid;
    int error;
};

/* Room for one file descriptor. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static struct {
    bool is_wanted;
    pid_t pid;
    int socket;
    int error; /* without a socket: why nothing can be started */
} nursery = {.socket = -1};

/* -- the copy -- */

/* A child of the parent, which fork() cannot make. */
static pid_t fork_sibling(void)
{
    const unsigned long flags = CLONE_PARENT | (unsigned long)SIGCHLD;

#ifdef __s390__
    return (pid_t)syscall(SYS_clone, 0UL, flags, 0UL, 0UL, 0UL);
#else
    return (pid_t)syscall(SYS_clone, flags, 0UL, 0UL, 0UL, 0UL);
#endif
}

static bool receive_fork_request(struct fork_request *request, int *socket)
{
    union control control;
    struct iovec part = {request, sizeof *request};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};

    if (recvmsg(NURSERY_SOCKET, &message, 0) != (ssize_t)sizeof *request)
        return false;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS)
        return false;
    memcpy(socket, CMSG_DATA(header), sizeof *socket);
    return true;
}

static void run_fork_requests(pid_t parent, nursery_child_fn *live)
{
    struct fork_request request;
    int socket;

    while (receive_fork_request(&request, &socket)) {
        const pid_t pid = fork_sibling();
        if (pid == 0)
            live(socket, parent, request.run, request.has_argument ? request.argument : NULL);

        const struct outcome outcome = {pid, errno};
        close(socket);
        if (send(NURSERY_SOCKET, &outcome, sizeof outcome, MSG_NOSIGNAL) < 0)
            return;
    }
}

/* Of the parent's file descriptors, only standard error stays open in the copy. No signal to the
 * process group ends the copy before the parent. */
static bool settle(int socket, pid_t parent)
{
    secret_forget_all();
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        return false;
    if (socket != NURSERY_SOCKET && dup2(socket, NURSERY_SOCKET) < 0)
        return false;

    closefrom(NURSERY_SOCKET + 1);
    const int null = open("/dev/null", O_RDWR);
    if (null < 0)
        return false;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (null > NURSERY_SOCKET)
        close(null);
    return true;
}

/* -- the parent -- */

void nursery_end_child(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void end_nursery(void)
{
    close(nursery.socket);
    nursery_end_child(nursery.pid);
    nursery.socket = -1;
    nursery.error = ECHILD;
}

void nursery_open(nursery_child_fn *live)
{
    int sockets[2];

    if (nursery.is_wanted)
        return;
    nursery.is_wanted = true;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
        nursery.error = errno;
        return;
    }

    const pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    secret_cleanse_traces();
    const pid_t pid = fork();
    if (pid == 0) {
        if (settle(sockets[1], parent))
            run_fork_requests(parent, live);
        _exit(EXIT_SUCCESS);
    }

    nursery.error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(sockets[1]);
    if (pid < 0) {
        close(sockets[0]);
    } else {
        nursery.pid = pid;
        nursery.socket = sockets[0];
    }
}

bool nursery_is_wanted(void)
{
    return nursery.is_wanted;
}

static bool send_fork_request(const struct fork_request *request, int socket)
{
    union control control;
    struct iovec part = {(void *)request, sizeof *request};
    const struct msghdr message = {.msg_iov = &part,
                                   .msg_iovlen = 1,
                                   .msg_control = &control,
                                   .msg_controllen = sizeof control};

    memset(&control, 0, sizeof control);
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof socket), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &socket, sizeof socket);
    return sendmsg(nursery.socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof *request;
}

static bool receive_outcome(struct outcome *outcome)
{
    struct pollfd answer = {.fd = nursery.socket, .events = POLLIN};

    return poll(&answer, 1, REQUEST_TIMEOUT_MS) == 1 &&
           recv(nursery.socket, outcome, sizeof *outcome, MSG_DONTWAIT) == (ssize_t)sizeof *outcome;
}

pid_t nursery_start(int socket, void (*run)(int, const char *), const char *argument)
{
    struct fork_request request;
    struct outcome outcome;

    memset(&request, 0, sizeof request);
    request.run = run;
    request.has_argument = argument;
    if (argument && strlen(argument) > NURSERY_ARGUMENT_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (argument)
        memcpy(request.argument, argument, strlen(argument) + 1);

    if (nursery.socket < 0) {
        errno = nursery.error;
        return -1;
    }
    /* It was killed or stopped. A late answer would be taken for the answer to the next request. */
    if (!send_fork_request(&request, socket) || !receive_outcome(&outcome)) {
        end_nursery();
        errno = nursery.error;
        return -1;
    }

    errno = outcome.error;
    return outcome.pid;
}
