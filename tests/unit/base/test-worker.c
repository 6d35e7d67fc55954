/*
 * test-worker.c: a child inherits nothing, survives failures of its calls, and never outlives its
 * purpose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/worker.h"
#include "support/capture.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_MS = 10000 };

/* --wrap: no number but that of a process may reach the kernel. */
static pid_t ended_wrongly;
int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number);

int __wrap_kill(pid_t pid, int number)
{
    if (pid > 0)
        return __real_kill(pid, number);
    ended_wrongly = pid == 0 ? -1 : pid;
    errno = EPERM;
    return -1;
}

static bool is_readable(int descriptor)
{
    struct pollfd pollfd = {.fd = descriptor, .events = POLLIN};
    return poll(&pollfd, 1, DEADLINE_MS) == 1;
}

/* Reads the next message. Returns its length, or 0 at the end; fails the test after the
 * deadline. */
static size_t receive(const struct worker *child, void *target, size_t capacity)
{
    assert_true(is_readable(child->socket));
    ssize_t length = recv(child->socket, target, capacity, 0);
    assert_true(length >= 0);
    return (size_t)length;
}

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* Sends each message back until the parent is gone. */
static void echo(int socket, const char *argument)
{
    char text[64];
    ssize_t length;
    (void)argument;
    while ((length = recv(socket, text, sizeof text, 0)) > 0)
        send(socket, text, (size_t)length, MSG_NOSIGNAL);
}

static void say_to_worker(int socket, const char *argument)
{
    send(socket, argument, strlen(argument), MSG_NOSIGNAL);
}

static void hang(int socket, const char *argument)
{
    (void)socket;
    (void)argument;
    for (;;)
        pause();
}

static void test_argument_and_end(void **state)
{
    struct worker child;
    char text[64];
    (void)state;

    assert_int_equal(worker_start(&child, say_to_worker, "hello"), 0);
    assert_int_equal(receive(&child, text, sizeof text), 5);
    assert_memory_equal(text, "hello", 5);
    assert_int_equal(receive(&child, text, sizeof text), 0);
    worker_end(&child);
    assert_no_children();
}

/* kill(2) takes 0 for the process group, and -1 for every process; 0 is a standard file. */
static void test_without_a_child(void **state)
{
    struct worker children[] = {{0}, {.pid = -1, .socket = -1}, {0}};
    const pid_t other = fork();
    (void)state;

    if (other == 0)
        _exit(7);
    assert_true(other > 0);
    assert_int_equal(worker_start(&children[2], hang, NULL), 0);
    worker_end(&children[2]); /* and once more below */
    for (size_t i = 0; i < sizeof children / sizeof *children; i++) {
        const int before = failing_count_open();

        worker_end(&children[i]);
        assert_int_equal(ended_wrongly, 0);
        assert_int_equal(failing_count_open(), before);
    }
    assert_int_equal(waitpid(other, NULL, 0), other); /* waitpid() was not called for it either */
    assert_no_children();
}

static void test_messages_keep_their_borders(void **state)
{
    struct worker child;
    char text[64];
    (void)state;

    assert_int_equal(worker_start(&child, echo, NULL), 0);
    assert_int_equal(send(child.socket, "one", 3, 0), 3);
    assert_int_equal(send(child.socket, "twenty", 6, 0), 6);
    assert_int_equal(receive(&child, text, sizeof text), 3);
    assert_int_equal(receive(&child, text, sizeof text), 6);
    worker_end(&child);
}

static void test_parent_never_blocks(void **state)
{
    struct worker child;
    char byte;
    (void)state;
    assert_int_equal(worker_start(&child, hang, NULL), 0);
    assert_int_equal(recv(child.socket, &byte, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
    worker_end(&child);
    assert_no_children();
}

/* Sends the open file descriptors below and above its socket; standard error stays open. */
static void report_descriptors(int socket, const char *argument)
{
    char open_ones[256] = {0};
    (void)argument;
    for (int i = 0; i < (int)sizeof open_ones; i++)
        open_ones[i] = (char)(fcntl(i, F_GETFD) >= 0);
    send(socket, open_ones, sizeof open_ones, MSG_NOSIGNAL);
}

static void test_descriptors_are_not_inherited(void **state)
{
    struct worker child;
    char open_ones[256];
    int pipe_ends[2];
    (void)state;
    assert_int_equal(pipe(pipe_ends), 0);
    int high = fcntl(pipe_ends[1], F_DUPFD, 200);
    assert_true(high >= 200);
    assert_int_equal(worker_start(&child, report_descriptors, NULL), 0);
    assert_int_equal(receive(&child, open_ones, sizeof open_ones), sizeof open_ones);
    for (int i = 0; i < (int)sizeof open_ones; i++)
        assert_int_equal(open_ones[i], i <= 3); /* 0 and 1: /dev/null; 2; the socket */
    worker_end(&child);

    /* So the other end of a connection sees its end at once, whatever the child does. */
    assert_int_equal(worker_start(&child, hang, NULL), 0);
    close(high);
    close(pipe_ends[1]);
    assert_true(is_readable(pipe_ends[0]));
    assert_int_equal(read(pipe_ends[0], open_ones, 1), 0);
    close(pipe_ends[0]);
    worker_end(&child);
}

/* Of <sanitizer/common_interface_defs.h>; NULL in a program without a sanitizer. */
extern void __sanitizer_set_report_fd(void *fd) /* NOLINT(bugprone-reserved-identifier) */
    __attribute__((weak));

static void chatter(int socket, const char *argument)
{
    (void)argument;
    fprintf(stdout, "WARNING: Unhandled message\n");
    fflush(stdout);
    fprintf(stderr, "WARNING: Unhandled message\n");
    send(socket, "", 1, MSG_NOSIGNAL);
}

/* What libraries write means nothing to the user. A sanitizer reports there, however. */
static void test_libraries_are_not_heard(void **state)
{
    static struct capture capture;
    struct worker child;
    char byte;
    (void)state;

    capture_begin(&capture);
    const int result = worker_start(&child, chatter, NULL);
    const bool has_run = result == 0 && receive(&child, &byte, 1) == 1;
    capture_end(&capture);
    assert_true(has_run);
    worker_end(&child);
    assert_string_equal(capture.text_out, "");
    if (!__sanitizer_set_report_fd)
        assert_string_equal(capture.text_err, "");
}

static volatile sig_atomic_t handled;

static void count_signal(int number)
{
    (void)number;
    handled++;
}

static void send_handled(int socket, const char *argument)
{
    char byte;
    (void)argument;

    raise(SIGINT);
    raise(SIGTERM);
    raise(SIGUSR2);
    raise(SIGRTMIN);
    raise(SIGPIPE);
    raise(SIGURG); /* ignored by default, but the parent has a handler */
    byte = (char)handled;
    send(socket, &byte, 1, MSG_NOSIGNAL);
    hang(socket, NULL);
}

static void test_worker_signals(void **state)
{
    struct worker child;
    struct sigaction action = {.sa_handler = count_signal}, old_int, old_urg;
    char byte = 99;
    (void)state;

    handled = 0;
    sigaction(SIGINT, &action, &old_int);
    sigaction(SIGURG, &action, &old_urg);
    assert_int_equal(worker_start(&child, send_handled, NULL), 0);
    assert_int_equal(receive(&child, &byte, 1), 1);
    assert_int_equal(byte, 0);
    worker_end(&child);
    assert_int_equal(handled, 0);
    raise(SIGINT); /* the parent's handlers and mask are as they were */
    assert_int_equal(handled, 1);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGURG, &old_urg, NULL);
    assert_no_children();
}

/* A child's child: when the middle one is killed, the pipe held by the last one ends. */
static void hold_and_hang(int socket, const char *argument)
{
    struct worker child;
    (void)argument;
    if (worker_start(&child, hang, NULL) == 0)
        send(socket, &child.pid, sizeof child.pid, MSG_NOSIGNAL);
    hang(socket, NULL);
}

static void test_dies_with_its_parent(void **state)
{
    struct worker child;
    pid_t grandchild = -1;
    (void)state;

    assert_int_equal(worker_start(&child, hold_and_hang, NULL), 0);
    assert_int_equal(receive(&child, &grandchild, sizeof grandchild), sizeof grandchild);
    assert_int_equal(kill(grandchild, 0), 0);
    worker_end(&child);
    /* The death of another's child is not reported: ask until it is gone (init reaps it). */
    int waited_ms = 0;
    char state_path[64];
    snprintf(state_path, sizeof state_path, "/proc/%d/stat", (int)grandchild);
    for (bool alive = true; alive; waited_ms += 5) {
        char text[512] = "";
        FILE *file = fopen(state_path, "r");
        alive = file && fread(text, 1, sizeof text - 1, file) > 0 && !strstr(text, ") Z ");
        if (file)
            fclose(file);
        if (alive)
            poll(NULL, 0, 5);
        assert_true(waited_ms < DEADLINE_MS);
    }
}

static void test_not_started(void **state)
{
    static const struct {
        enum failing_call call;
        int error;
    } rows[] = {{FAILING_SOCKETPAIR, EMFILE}, {FAILING_FCNTL, EINVAL}, {FAILING_FORK, EAGAIN}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct worker child;
        int before = failing_count_open();

        failing_start(rows[i].call, 0, rows[i].error);
        int rc = worker_start(&child, hang, NULL);
        int error = errno;

        assert_true(failing_stop());
        assert_int_equal(rc, -1);
        assert_int_equal(error, rows[i].error);
        assert_int_equal(failing_count_open(), before);
        assert_no_children();
    }
}

/* A child that cannot be made safe does not run; one without /dev/null does. */
static void test_calls_that_fail_in_the_child(void **state)
{
    static const struct {
        enum failing_call call;
        size_t said;
    } rows[] = {{FAILING_PRCTL, 0}, {FAILING_GETPPID, 0}, {FAILING_DUP2, 0}, {FAILING_OPEN, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct worker child;
        char text[64];

        failing_start(rows[i].call, 0, EPERM);
        assert_int_equal(worker_start(&child, say_to_worker, "hello"), 0);
        failing_stop();

        assert_int_equal(receive(&child, text, sizeof text), rows[i].said);
        worker_end(&child);
        assert_no_children();
    }
}

static void test_wait_is_interrupted(void **state)
{
    struct worker child;
    (void)state;
    assert_int_equal(worker_start(&child, hang, NULL), 0);
    failing_start(FAILING_WAITPID, 0, EINTR);
    worker_end(&child);
    assert_true(failing_stop());
    assert_no_children();
}

/* Its socket may have any number, also that of a standard file or its final one. */
static void test_closed_standard_files(void **state)
{
    (void)state;

    for (int closed = 1; closed <= 3; closed++) {
        enum { FILES = 4 };
        struct worker child;
        char open_ones[256] = {0};
        int saved[FILES];
        for (int i = 0; i < FILES; i++) {
            saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
            if (i < closed || i == 3)
                close(i);
        }
        int rc = worker_start(&child, report_descriptors, NULL);
        bool is_told =
            rc == 0 && is_readable(child.socket) &&
            recv(child.socket, open_ones, sizeof open_ones, 0) == (ssize_t)sizeof open_ones;
        if (rc == 0)
            worker_end(&child);
        for (int i = 0; i < FILES; i++) {
            if (saved[i] < 0)
                continue;
            dup2(saved[i], i);
            close(saved[i]);
        }
        assert_true(is_told);
        for (int i = 0; i < (int)sizeof open_ones; i++)
            if (i != 2)
                assert_int_equal(open_ones[i], i <= 3);
        assert_no_children();
    }
}

/* -- workers that start from a copy of before -- */

static volatile char known[64] = "public";

static void report_known(int socket, const char *argument)
{
    struct {
        char known[sizeof known], argument[64];
        pid_t parent;
    } report = {.parent = getppid()};

    for (size_t i = 0; i < sizeof known; i++)
        report.known[i] = known[i];
    snprintf(report.argument, sizeof report.argument, "%s", argument ? argument : "none");
    send(socket, &report, sizeof report, MSG_NOSIGNAL);
    hang(socket, NULL);
}

static void assert_reports(const char *argument, const char *shown)
{
    struct {
        char known[sizeof known], argument[64];
        pid_t parent;
    } report;
    struct worker child;

    assert_int_equal(worker_start(&child, report_known, argument), 0);
    assert_int_equal(receive(&child, &report, sizeof report), sizeof report);
    assert_string_equal(report.known, "public");
    assert_string_equal(report.argument, shown);
    assert_int_equal(report.parent, getpid());
    const pid_t pid = child.pid;
    worker_end(&child);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

/* The first call counts. The next test needs what it leaves. */
static void test_kept_clean(void **state)
{
    struct worker child;
    char open_ones[256], text[1026];
    (void)state;

    worker_keep_clean();
    for (size_t i = 0; i < sizeof "secret"; i++)
        known[i] = "secret"[i];
    worker_keep_clean();

    assert_reports("a name", "a name");
    assert_reports(NULL, "none");

    assert_int_equal(worker_start(&child, report_descriptors, NULL), 0);
    assert_int_equal(receive(&child, open_ones, sizeof open_ones), sizeof open_ones);
    for (int i = 0; i < (int)sizeof open_ones; i++)
        assert_int_equal(open_ones[i], i <= 3);
    worker_end(&child);

    memset(text, 'n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(worker_start(&child, hang, text), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_reports("a name", "a name");
}

/* Returns how many there were. */
static int kill_children(void)
{
    char path[64], children[256];
    int count = 0;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(children, 1, sizeof children - 1, file);
    children[length] = '\0';
    fclose(file);

    char *rest = children, *end;
    for (long pid; (pid = strtol(rest, &end, 10)) > 0 && end != rest; rest = end)
        count += kill((pid_t)pid, SIGKILL) == 0;
    return count;
}

/* Then none starts, rather than one with secrets. */
static void test_clean_copy_is_lost(void **state)
{
    struct worker child;
    int before = failing_count_open();
    (void)state;

    assert_true(kill_children() > 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(worker_start(&child, hang, NULL), -1);
        assert_int_equal(errno, ECHILD);
    }
    assert_int_equal(failing_count_open(), before - 1);
    assert_no_children();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_argument_and_end),
        cmocka_unit_test(test_without_a_child),
        cmocka_unit_test(test_messages_keep_their_borders),
        cmocka_unit_test(test_parent_never_blocks),
        cmocka_unit_test(test_descriptors_are_not_inherited),
        cmocka_unit_test(test_libraries_are_not_heard),
        cmocka_unit_test(test_worker_signals),
        cmocka_unit_test(test_dies_with_its_parent),
        cmocka_unit_test(test_not_started),
        cmocka_unit_test(test_calls_that_fail_in_the_child),
        cmocka_unit_test(test_wait_is_interrupted),
        cmocka_unit_test(test_closed_standard_files),
        cmocka_unit_test(test_kept_clean),
        cmocka_unit_test(test_clean_copy_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
