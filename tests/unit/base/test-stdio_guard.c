/*
 * test-stdio_guard.c: file descriptors 0 to 2 closed in every combination. Each combination is
 * tried in a child, which returns its findings as its exit status. Pipes with readers that are
 * slow, stopped or gone, and a terminal that is held.
 */
#include "base/stdio_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/failing.h"
#include "support/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { COMBINATIONS = 8, GOOD = 42 };

/* A file descriptor that was closed fails on every use, as if it still were. */
static bool is_dead(int descriptor)
{
    char byte = 0;
    ssize_t done =
        descriptor == STDIN_FILENO ? read(descriptor, &byte, 1) : write(descriptor, &byte, 1);
    return fcntl(descriptor, F_GETFD) >= 0 && done < 0 && errno == EBADF;
}

static bool is_untouched(int descriptor, const struct stat *before)
{
    struct stat now;
    return fstat(descriptor, &now) == 0 && now.st_ino == before->st_ino &&
           now.st_dev == before->st_dev;
}

/* Bit n of closed: the caller has closed descriptor n. The first open(2) fails if lacks_null.
 * Returns the exit status. */
static int secure_and_look(unsigned closed, bool lacks_null)
{
    int pipes[2];
    struct stat before;

    if (pipe(pipes) < 0 || fstat(pipes[1], &before) < 0)
        return 1;

    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (closed >> i & 1U)
            close(i);
        else if (dup2(pipes[1], i) < 0)
            return 1;
    if (lacks_null)
        failing_start(FAILING_OPEN, 0, ENOENT);
    stdio_guard_secure();
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (closed >> i & 1U ? !is_dead(i) : !is_untouched(i, &before))
            return 2 + i;
    int next = dup(pipes[0]);
    return next > STDERR_FILENO ? GOOD : 1; /* the next open file has a harmless number */
}

static void test_every_combination(void **state)
{
    (void)state;

    for (unsigned row = 0; row < 2 * COMBINATIONS; row++) {
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(secure_and_look(row % COMBINATIONS, row >= COMBINATIONS));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), GOOD);
    }
}

/* More than a pipe holds. */
enum { LONG_SIZE = 300000, SOON_MS = 50, PATIENCE_MS = STDIO_GUARD_PATIENCE_MS };

static char byte_at(size_t place)
{
    return (char)(place % 251);
}

/* Reads from a pipe in a child, which returns GOOD if it got what was written. */
static pid_t start_reader(const int pipes[2])
{
    pid_t child = fork();
    if (child != 0)
        return child;

    char piece[1000];
    size_t right = 0;
    ssize_t got;
    close(pipes[1]);
    while ((got = read(pipes[0], piece, sizeof piece)) > 0)
        for (ssize_t i = 0; i < got; i++)
            right += piece[i] == byte_at(right);
    _exit(right == LONG_SIZE ? GOOD : 1);
}

static void test_all_is_written(void **state)
{
    int pipes[2], status = 0;
    char *text = malloc(LONG_SIZE);
    (void)state;

    assert_non_null(text);
    for (size_t i = 0; i < LONG_SIZE; i++)
        text[i] = byte_at(i);
    assert_int_equal(pipe(pipes), 0);
    pid_t reader = start_reader(pipes);
    assert_true(reader > 0);
    assert_int_equal(stdio_guard_write(pipes[1], text, LONG_SIZE, PATIENCE_MS), 0);
    close(pipes[1]);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(WEXITSTATUS(status), GOOD);
    close(pipes[0]);
    free(text);
}

static void test_a_stopped_reader(void **state)
{
    int pipes[2];
    char *text = calloc(1, LONG_SIZE);
    (void)state;

    assert_non_null(text);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(stdio_guard_write(pipes[1], text, LONG_SIZE, SOON_MS), ETIMEDOUT);

    assert_true(read(pipes[0], text, PIPE_BUF) > 0); /* the pipe had been filled */
    close(pipes[0]);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(stdio_guard_write(pipes[1], text, LONG_SIZE, SOON_MS), EPIPE);
    close(pipes[1]);
    free(text);
}

static int alarms_until_read = -1;
static int alarm_reads_from;

static void on_alarm(int number)
{
    char piece[PIPE_BUF];

    (void)number;
    if (--alarms_until_read == 0)
        (void)!read(alarm_reads_from, piece, sizeof piece);
}

/* From now on an alarm comes every 20 ms; that with this number reads from a pipe. */
static void start_alarms(int number, int reads_from)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct timeval interval = {.tv_usec = 20000};

    alarms_until_read = number;
    alarm_reads_from = reads_from;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &(struct itimerval){interval, interval}, NULL), 0);
}

static void stop_alarms(void)
{
    assert_int_equal(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL), 0);
}

/* Is waited for beyond the patience, until a signal comes. */
static void test_a_held_terminal(void **state)
{
    int master = pty_open_master();
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    (void)state;

    assert_true(terminal >= 0);
    assert_int_equal(tcflow(terminal, TCOOFF), 0);
    assert_false(stdio_guard_takes(terminal, 0));
    start_alarms(-1, -1);
    assert_int_equal(stdio_guard_write(terminal, "x", 1, 1), EINTR);
    stop_alarms();
    close(terminal);
    close(master);
}

static void test_no_limit(void **state)
{
    char *text = calloc(1, LONG_SIZE);
    int pipes[2];
    (void)state;

    assert_non_null(text);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(stdio_guard_write(pipes[1], text, LONG_SIZE, SOON_MS), ETIMEDOUT);
    start_alarms(3, pipes[0]);
    assert_int_equal(stdio_guard_write(pipes[1], "x", 1, STDIO_GUARD_NO_LIMIT), 0);
    stop_alarms();
    close(pipes[0]);
    close(pipes[1]);
    free(text);
}

static volatile sig_atomic_t signals_handled;

static void count_signal(int number)
{
    (void)number;
    signals_handled++;
}

/* Whether a process waits, by /proc/PID/stat: "PID (NAME) STATE ...". */
static bool is_waiting(pid_t pid)
{
    char path[64], text[256] = "";

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file))
        _exit(1);
    fclose(file);

    const char *name_end = strrchr(text, ')');
    return name_end && name_end[2] == 'S';
}

/* A reader whose signal comes while its parent waits for it; it reads only then. */
static pid_t start_late_reader(const int pipes[2])
{
    const pid_t parent = getpid(), child = fork();
    char piece[PIPE_BUF];

    if (child != 0)
        return child;
    while (!is_waiting(parent))
        sched_yield();
    kill(parent, SIGUSR1);
    _exit(read(pipes[0], piece, sizeof piece) > 0 ? GOOD : 1);
}

static void test_a_deferred_signal(void **state)
{
    const struct sigaction action = {.sa_handler = count_signal};
    char *text = calloc(1, LONG_SIZE);
    int pipes[2], status = 0;
    (void)state;

    assert_non_null(text);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(stdio_guard_write(pipes[1], text, LONG_SIZE, SOON_MS), ETIMEDOUT);
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    stdio_guard_defer(SIGUSR1);

    pid_t reader = start_late_reader(pipes);
    assert_true(reader > 0);
    assert_int_equal(stdio_guard_write(pipes[1], "x", 1, PATIENCE_MS), 0);
    assert_int_equal(signals_handled, 1);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(WEXITSTATUS(status), GOOD);
    close(pipes[0]);
    close(pipes[1]);
    free(text);
}

/* What is discarded gets no byte to where it went before, with and without /dev/null. */
static void test_discarded_output(void **state)
{
    (void)state;
    for (int lacks_null = 0; lacks_null <= 1; lacks_null++) {
        FILE *file = tmpfile();
        struct stat after;

        assert_non_null(file);
        if (lacks_null)
            failing_start(FAILING_OPEN, 0, ENOENT);
        stdio_guard_discard(fileno(file));
        assert_true(!lacks_null || failing_stop());
        (void)!write(fileno(file), "x", 1);
        assert_int_equal(fstat(fileno(file), &after), 0);
        assert_false(S_ISREG(after.st_mode));
        fclose(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_discarded_output),  cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_all_is_written),    cmocka_unit_test(test_a_stopped_reader),
        cmocka_unit_test(test_a_held_terminal),   cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_a_deferred_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
