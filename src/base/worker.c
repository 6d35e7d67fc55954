/*
 * worker.c: forks a child, strips it of what it inherited, and connects it by a socket.
 *
 * A child that is forked without exec shares every file descriptor of its parent. A TCP connection
 * closed by the parent would stay open in the child, and the board at its other end would wait
 * forever. So the child closes them all first.
 */
#include "base/worker.h"

#include "base/confine.h"
#include "base/ending_signal.h"
#include "base/nursery.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHILD_SOCKET = 3 };

/* From <sanitizer/common_interface_defs.h>; NULL in a program without a sanitizer. */
extern void __sanitizer_set_report_fd(void *fd) /* NOLINT(bugprone-reserved-identifier) */
    __attribute__((weak));

/* The parent's signal handlers must not run in the child: they would write into its file
 * descriptors. A signal to the process group ends the parent, and that ends the child. */
static void reset_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, ending_signal_includes(number) ? SIG_IGN : SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool detach_from_parent(int socket, pid_t parent)
{
    secret_forget_all();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        return false;
    if (socket != CHILD_SOCKET && dup2(socket, CHILD_SOCKET) < 0)
        return false;

    closefrom(CHILD_SOCKET + 1);
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        /* Libraries write their own warnings to standard error, libavahi-client among them. The
         * parent says what matters to the user. Only a sanitizer needs it, for its reports. */
        if (!__sanitizer_set_report_fd)
            dup2(null, STDERR_FILENO);
        if (null > CHILD_SOCKET)
            close(null);
    }

    reset_signals();
    confine_process();
    return true;
}

/* Runs in the child. */
static void live(int socket, pid_t parent, void (*run)(int, const char *), const char *argument)
{
    if (detach_from_parent(socket, parent))
        run(CHILD_SOCKET, argument);
    _exit(EXIT_SUCCESS);
}

void worker_keep_clean(void)
{
    nursery_open(live);
}

int worker_start(struct worker *worker, void (*run)(int socket, const char *argument),
                 const char *argument)
{
    int sockets[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return -1;

    pid_t pid = -1;
    pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);

    secret_cleanse_traces(); /* the child would inherit them */
    if (fcntl(sockets[0], F_SETFL, O_NONBLOCK) == 0)
        pid = nursery_is_wanted() ? nursery_start(sockets[1], run, argument) : fork();
    if (pid == 0)
        live(sockets[1], parent, run, argument);

    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(sockets[1]);
    if (pid < 0) {
        close(sockets[0]);
        errno = error;
        return -1;
    }

    *worker = (struct worker){.pid = pid, .socket = sockets[0]};
    return 0;
}

bool worker_flag_is_sound(const bool *flag)
{
    const unsigned char *byte = (const unsigned char *)flag;

    return *byte <= 1;
}

void worker_end(struct worker *worker)
{
    if (worker->pid > 0)
        close(worker->socket);
    nursery_end_child(worker->pid);
    *worker = (struct worker){.socket = -1};
}
