/*
 * ends.c: writes the counters of a process that does not end by exit(), where gcov would do it, and
 * sees to it that they can be written. Linked into builds of the coverage preset only, in place of
 * the C library's functions (--wrap).
 */
#include <errno.h>
#include <gcov.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old);

void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}

static void on_signal(int number)
{
    signal(number, SIG_DFL);
    kill(getpid(), number);
}

/* Some commands leave these signals to the kernel. Unit tests look at what is done with signals. */
__attribute__((constructor)) static void catch_signals(void)
{
    const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    struct sigaction action;

    if (strcmp(program_invocation_short_name, "esp-ota") != 0)
        return;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL)
            signal(numbers[i], on_signal);
}

/* The program leaves a signal alone that has a handler already. */
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    const int result = __real_sigaction(number, action, old);

    if (result == 0 && old && old->sa_handler == on_signal)
        old->sa_handler = SIG_DFL;
    return result;
}

/* A signal to the process itself may end it; if it does not, counting goes on from zero. A child
 * that is killed once it has answered may still be writing. One that hangs loses its counters after
 * half a second. */
int __wrap_kill(pid_t pid, int number)
{
    enum { LOOKS = 50, NS_PER_LOOK = 10 * 1000 * 1000 };
    const struct timespec pause = {.tv_nsec = NS_PER_LOOK};

    if (pid == getpid()) {
        __gcov_dump();
        __gcov_reset();
    }
    for (int look = 0; number == SIGKILL && pid > 0 && look < LOOKS; look++) {
        siginfo_t ended = {0};
        if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 ||
            ended.si_pid == pid)
            break;
        nanosleep(&pause, NULL);
    }
    return __real_kill(pid, number);
}

/* Confined children could not open the files of the counters: the kernel has no Landlock here. */
long __wrap_syscall(long number, ...)
{
    enum { ARGUMENTS = 6 };
    long arguments[ARGUMENTS];
    va_list list;

#ifdef SYS_landlock_create_ruleset
    if (number == SYS_landlock_create_ruleset) {
        errno = ENOSYS;
        return -1;
    }
#endif
    /* More than there are does no harm where they travel in registers. */
    va_start(list, number);
    for (size_t i = 0; i < ARGUMENTS; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4], arguments[5]);
}
