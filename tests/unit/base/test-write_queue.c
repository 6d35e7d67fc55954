/*
 * test-write_queue.c: a pipe of one page or a terminal, whose reader pauses, reads on, or goes.
 */
#include "base/write_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/stdio_guard.h"
#include "base/units.h"
#include "support/failing.h"
#include "support/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* PIPE_BUF is no multiple of a line. */
enum { LINE_SIZE = 17, LINES = 5000, GOOD = 42 };

static struct {
    struct loop *loop;
    int reader, writer;
    struct write_queue queue;
    unsigned put, got; /* lines */
} world;

static void open_pipe(void)
{
    int pipes[2];

    signal(SIGPIPE, SIG_IGN);
    memset(&world, 0, sizeof world);
    assert_int_equal(pipe(pipes), 0);
    world.reader = pipes[0];
    world.writer = world.queue.fd = pipes[1];
    assert_true(fcntl(world.writer, F_SETPIPE_SZ, PIPE_BUF) > 0);
    world.loop = loop_new();
    assert_non_null(world.loop);
    write_queue_start(&world.queue, world.loop, NULL);
}

static void close_pipe(void)
{
    write_queue_end(&world.queue);
    if (world.reader >= 0)
        close(world.reader);
    close(world.writer);
    loop_free(world.loop);
}

static void print_line(char line[LINE_SIZE + 1], unsigned number)
{
    snprintf(line, LINE_SIZE + 1, "line %011u\n", number);
}

static int put_line(void)
{
    char line[LINE_SIZE + 1];

    print_line(line, world.put++);
    return write_queue_put(&world.queue, line, LINE_SIZE);
}

static void put_lines(unsigned count)
{
    while (count--)
        assert_int_equal(put_line(), 0);
}

/* Whether the next lines have come, and no part of one. False at the end of the pipe, too. */
static bool read_lines(void)
{
    char piece[PIPE_BUF], line[LINE_SIZE + 1];
    ssize_t count = read(world.reader, piece, sizeof piece);

    for (ssize_t i = 0; i < count; i += LINE_SIZE) {
        print_line(line, world.got++);
        if (count - i < LINE_SIZE || memcmp(piece + i, line, LINE_SIZE) != 0)
            return false;
    }
    return count > 0;
}

static void on_readable(unsigned events, void *userdata)
{
    (void)events;
    (void)userdata;
    assert_true(read_lines());
    if (world.got == world.put)
        loop_quit(world.loop);
}

static void read_in_loop(void)
{
    struct loop_watch watch = {0};

    assert_int_equal(
        loop_watch_start(&watch, world.loop, world.reader, LOOP_READABLE, on_readable, NULL), 0);
    assert_int_equal(loop_run(world.loop), 0);
    loop_watch_stop(&watch);
}

/* Reads until the end in a child, which returns GOOD if count lines came in order. */
static pid_t start_reader(unsigned count)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child != 0)
        return child;

    close(world.writer);
    while (read_lines())
        ;
    _exit(world.got == count ? GOOD : 1);
}

static void assert_all_read(pid_t reader)
{
    int status = 0;

    assert_int_equal(write_queue_end(&world.queue), 0);
    close(world.writer);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(WEXITSTATUS(status), GOOD);
    world.writer = -1;
    close_pipe();
}

static void quit(void *userdata)
{
    (void)userdata;
    loop_quit(world.loop);
}

/* What is ready when the timer is due is served before it. */
static void run_one_turn(void)
{
    struct loop_timer timer;

    loop_timer_init(&timer, world.loop, quit, NULL);
    loop_timer_start(&timer, 0);
    assert_int_equal(loop_run(world.loop), 0);
}

static void test_a_reader_that_pauses(void **state)
{
    (void)state;
    open_pipe();
    assert_true(write_queue_is_ready(&world.queue));
    put_lines(LINES);
    assert_false(write_queue_is_ready(&world.queue));
    read_in_loop();
    assert_true(write_queue_is_ready(&world.queue));
    put_lines(LINES); /* and once more, in a queue that has been empty */
    read_in_loop();
    assert_int_equal(world.got, 2 * LINES);
    assert_int_equal(write_queue_end(&world.queue), 0);
    assert_int_equal(write_queue_end(&world.queue), 0);
    close_pipe();
}

/* Half of the queue is kept for what comes without being asked for; for both of two that are
 * joined. */
static void test_room(void **state)
{
    const unsigned half = WRITE_QUEUE_MAX / 2 / LINE_SIZE;
    struct write_queue other = {.fd = -1};
    (void)state;

    open_pipe();
    other.fd = world.writer;
    write_queue_start(&other, world.loop, &world.queue);
    put_lines(half); /* the first one is in the pipe */
    assert_true(write_queue_has_room(&world.queue) && write_queue_has_room(&other));
    put_lines(2);
    assert_false(write_queue_has_room(&world.queue) || write_queue_has_room(&other));
    read_in_loop();
    assert_true(write_queue_has_room(&world.queue) && write_queue_has_room(&other));
    assert_int_equal(write_queue_end(&other), 0);
    close_pipe();
}

/* A line that has no end yet, and one that is longer than a write. */
static void test_other_pieces(void **state)
{
    static char expected[3 * PIPE_BUF + 3], got[sizeof expected];
    size_t count = 0;
    (void)state;

    memset(expected, 'x', sizeof expected);
    expected[(size_t)2 * PIPE_BUF] = '\n';
    open_pipe();
    assert_int_equal(write_queue_put(&world.queue, expected, sizeof expected), 0);
    while (count < sizeof expected) {
        ssize_t more = read(world.reader, got + count, sizeof got - count);
        assert_true(more > 0);
        count += (size_t)more;
        run_one_turn();
    }
    assert_memory_equal(got, expected, sizeof expected);
    assert_int_equal(write_queue_end(&world.queue), 0);
    close_pipe();
}

static void test_the_end_waits(void **state)
{
    (void)state;
    open_pipe();
    put_lines(LINES);
    assert_all_read(start_reader(LINES));
}

static void test_after_the_end(void **state)
{
    (void)state;
    open_pipe();
    put_lines(LINES);
    pid_t reader = start_reader(2 * LINES);
    assert_int_equal(write_queue_end(&world.queue), 0);
    put_lines(LINES);
    assert_int_equal(world.queue.length, 0);
    assert_all_read(reader);
}

/* Waiting fails, as if a signal came. */
static void test_the_end_without_a_reader(void **state)
{
    (void)state;
    open_pipe();
    put_lines(LINES);
    failing_start(FAILING_POLL, 0, EINTR);
    assert_int_equal(write_queue_end(&world.queue), EINTR);
    assert_true(failing_stop());
    assert_int_equal(write_queue_end(&world.queue), EINTR);
    assert_int_equal(put_line(), EINTR);
    close_pipe();
}

static void test_a_full_queue(void **state)
{
    /* A pipe of one page takes nothing more until its line has been read. */
    const unsigned full = 1 + WRITE_QUEUE_MAX / LINE_SIZE;
    (void)state;

    open_pipe();
    put_lines(full);
    assert_true(world.queue.length > WRITE_QUEUE_MAX - LINE_SIZE);
    pid_t reader = start_reader(full + LINES);
    put_lines(LINES);
    assert_all_read(reader);

    open_pipe();
    put_lines(full);
    failing_start(FAILING_POLL, 0, EINTR);
    assert_int_equal(put_line(), EINTR); /* it has waited */
    assert_true(failing_stop());
    close_pipe();
}

static void test_a_reader_that_goes(void **state)
{
    (void)state;
    open_pipe();
    put_lines(LINES);
    close(world.reader);
    world.reader = -1;
    run_one_turn();
    assert_int_equal(put_line(), EPIPE);
    assert_int_equal(write_queue_end(&world.queue), EPIPE);
    close_pipe();

    open_pipe();
    put_lines(LINES);
    close(world.reader);
    world.reader = -1;
    assert_int_equal(write_queue_end(&world.queue), EPIPE);
    close_pipe();
}

static void test_an_error_in_the_loop(void **state)
{
    (void)state;
    open_pipe();
    put_lines(LINES);
    assert_true(read_lines());
    failing_start(FAILING_WRITE, 0, EIO);
    run_one_turn();
    assert_true(failing_stop());
    assert_int_equal(put_line(), EIO);
    assert_int_equal(write_queue_end(&world.queue), EIO);
    close_pipe();
}

/* Without memory for the queue, or for its watch, it waits for the reader. */
static void test_without_memory(void **state)
{
    (void)state;
    open_pipe();
    failing_start_for_good(FAILING_ALLOCATION, ENOMEM);
    assert_int_equal(put_line(), 0);
    assert_true(failing_stop());
    assert_true(read_lines());

    pid_t reader = start_reader(1 + LINES);
    failing_start_for_good(FAILING_ALLOCATION, ENOMEM);
    for (unsigned i = 0; i < LINES; i++)
        if (put_line() != 0)
            break;
    assert_true(failing_stop());
    assert_null(world.queue.bytes);
    assert_all_read(reader);

    open_pipe();
    put_lines(1);
    reader = start_reader(2);
    failing_start(FAILING_EPOLL_CTL, 0, ENOMEM);
    assert_int_equal(put_line(), 0);
    failing_stop(); /* the reader may have been faster */
    assert_int_equal(world.queue.length, 0);
    assert_all_read(reader);
}

/* Two queues of one pipe, as with 2>&1. */
static void test_the_order_of_two(void **state)
{
    struct write_queue other = {.fd = -1};
    char line[LINE_SIZE + 1];
    (void)state;

    open_pipe();
    other.fd = world.writer;
    write_queue_start(&other, world.loop, &world.queue);
    for (unsigned i = 0; i < LINES; i++) {
        put_lines(1);
        print_line(line, world.put++);
        assert_int_equal(write_queue_put(&other, line, LINE_SIZE), 0);
    }
    assert_false(write_queue_is_ready(&other));
    read_in_loop();
    assert_true(write_queue_is_ready(&other));

    put_lines(LINES);
    pid_t reader = start_reader(3 * LINES);
    assert_int_equal(write_queue_end(&other), 0);
    assert_int_equal(world.queue.length, 0);
    assert_all_read(reader);
}

/* Not joined: each has a pipe of its own, or nothing is queued for the other one. */
static void test_two_pipes(void **state)
{
    struct write_queue other = {.fd = -1};
    int pipes[2];
    (void)state;

    open_pipe();
    assert_int_equal(pipe(pipes), 0);
    other.fd = pipes[1];
    write_queue_start(&other, world.loop, &world.queue);
    assert_null(other.joined);
    write_queue_end(&other);

    other = (struct write_queue){.fd = world.writer};
    write_queue_end(&world.queue);
    write_queue_start(&other, world.loop, &world.queue);
    assert_null(other.joined);
    write_queue_end(&other);
    close(pipes[0]);
    close(pipes[1]);
    close_pipe();
}

/* Without conversion of line ends. Returns a descriptor of it in blocking mode. */
static int open_terminal(void)
{
    struct termios mode;
    int terminal;

    memset(&world, 0, sizeof world);
    world.reader = pty_open_master();
    terminal = open(ptsname(world.reader), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    assert_int_equal(tcgetattr(terminal, &mode), 0);
    cfmakeraw(&mode);
    assert_int_equal(tcsetattr(terminal, TCSANOW, &mode), 0);

    world.writer = world.queue.fd = terminal;
    world.loop = loop_new();
    assert_non_null(world.loop);
    write_queue_start(&world.queue, world.loop, NULL);
    return terminal;
}

static void on_terminal_readable(unsigned events, void *userdata)
{
    static char line[LINE_SIZE + 1], expected[LINE_SIZE + 1];
    static size_t length;
    char piece[PIPE_BUF];
    ssize_t count = read(world.reader, piece, sizeof piece);
    (void)events;
    (void)userdata;

    assert_true(count > 0);
    for (ssize_t i = 0; i < count; i++) {
        line[length++] = piece[i];
        if (length < LINE_SIZE)
            continue;
        print_line(expected, world.got++);
        assert_string_equal(line, expected);
        length = 0;
    }
    if (world.got == world.put)
        loop_quit(world.loop);
}

static void read_terminal_in_loop(void)
{
    struct loop_watch watch = {0};

    assert_int_equal(loop_watch_start(&watch, world.loop, world.reader, LOOP_READABLE,
                                      on_terminal_readable, NULL),
                     0);
    assert_int_equal(loop_run(world.loop), 0);
    loop_watch_stop(&watch);
}

/* More than the kernel keeps for whoever reads a terminal. */
static void test_a_terminal_that_nobody_reads(void **state)
{
    int terminal = open_terminal();
    (void)state;

    assert_non_null(world.queue.loop);
    put_lines(LINES);
    assert_true(world.queue.length > 0);
    assert_false(write_queue_is_ready(&world.queue));
    assert_int_equal(fcntl(terminal, F_GETFL) & O_NONBLOCK, 0); /* others may share it */
    read_terminal_in_loop();
    assert_true(write_queue_is_ready(&world.queue));
    assert_int_equal(write_queue_end(&world.queue), 0);
    assert_int_equal(world.queue.fd, terminal);
    close_pipe();
}

/* Ctrl-S; the queue that is joined has another name for the terminal. */
static void test_a_terminal_that_is_held(void **state)
{
    int terminal = open_terminal(), same = open(ptsname(world.reader), O_WRONLY | O_NOCTTY);
    struct write_queue other = {.fd = same};
    char line[LINE_SIZE + 1];
    (void)state;

    assert_non_null(world.queue.loop);
    write_queue_start(&other, world.loop, &world.queue);
    assert_ptr_equal(other.joined, &world.queue);
    assert_int_equal(tcflow(terminal, TCOOFF), 0);
    assert_false(write_queue_is_ready(&other));
    put_lines(1);
    print_line(line, world.put++);
    assert_int_equal(write_queue_put(&other, line, LINE_SIZE), 0);
    assert_int_equal(world.queue.length, 2 * LINE_SIZE);
    run_one_turn();
    assert_int_equal(world.queue.length, 2 * LINE_SIZE);

    assert_int_equal(tcflow(terminal, TCOON), 0);
    read_terminal_in_loop();
    assert_int_equal(world.queue.length, 0);
    assert_int_equal(write_queue_end(&other), 0);
    close(same);
    close_pipe();
}

/* Ready, but with less room than the next character needs. */
static void test_a_terminal_without_room(void **state)
{
    open_terminal();
    (void)state;

    failing_start(FAILING_WRITE, 0, EAGAIN);
    put_lines(1);
    assert_true(failing_stop());
    assert_int_equal(world.queue.length, LINE_SIZE);
    read_terminal_in_loop();

    failing_start(FAILING_WRITE, 0, EAGAIN);
    put_lines(1);
    assert_true(failing_stop());
    failing_start(FAILING_WRITE, 0, EAGAIN);
    assert_int_equal(write_queue_end(&world.queue), 0); /* tries again */
    assert_true(failing_stop());
    assert_int_equal(world.queue.length, 0);
    close_pipe();
}

static void on_alarm(int number)
{
    (void)number;
}

static void quit_loop(void *userdata)
{
    (void)userdata;
    loop_quit(world.loop);
}

/* Ready, and without room whenever it is tried: 20 rests have hardly more than 20 tries. */
static void test_a_terminal_that_stays_without_room(void **state)
{
    struct loop_timer end;
    (void)state;

    open_terminal();
    failing_start_for_good(FAILING_WRITE, EAGAIN);
    put_lines(1);
    loop_timer_init(&end, world.loop, quit_loop, NULL);
    loop_timer_start(&end, 20 * MILLISECONDS(STDIO_GUARD_REST_MS));
    assert_int_equal(loop_run(world.loop), 0);
    assert_in_range(failing_count_failed(), 2, 50);
    assert_true(failing_stop());
    assert_int_equal(world.queue.length, LINE_SIZE);
    read_terminal_in_loop(); /* goes on by itself */
    close_pipe();
}

/* The same without a queue. */
static void test_a_terminal_that_stays_without_room_unqueued(void **state)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval in_a_second = {{1, 0}, {1, 0}}, never = {{0, 0}, {0, 0}};
    const int terminal = open_terminal();
    (void)state;

    sigaction(SIGALRM, &action, NULL);
    failing_start_for_good(FAILING_WRITE, EAGAIN);
    setitimer(ITIMER_REAL, &in_a_second, NULL);
    assert_int_equal(stdio_guard_write(terminal, "\n", 1, 60000), EINTR);
    setitimer(ITIMER_REAL, &never, NULL);
    assert_in_range(failing_count_failed(), 2, 50);
    assert_true(failing_stop());
    signal(SIGALRM, SIG_DFL);
    close_pipe();
}

/* Held there, with a poll(2) that never waits: Ctrl-C ends it all the same. */
static void test_a_terminal_that_gets_no_room(void **state)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval often = {{0, 10000}, {0, 10000}}, never = {{0, 0}, {0, 0}};
    (void)state;

    open_terminal();
    sigaction(SIGALRM, &action, NULL);
    failing_start_for_good(FAILING_WRITE, EAGAIN);
    put_lines(1);
    setitimer(ITIMER_REAL, &often, NULL);
    assert_int_equal(write_queue_end(&world.queue), EINTR);
    setitimer(ITIMER_REAL, &never, NULL);
    assert_true(failing_stop());
    signal(SIGALRM, SIG_DFL);
    close_pipe();
}

static void assert_not_queued(int fd)
{
    world.queue = (struct write_queue){.fd = fd};
    write_queue_start(&world.queue, world.loop, NULL);
    assert_null(world.queue.loop);
}

static void test_what_is_not_queued(void **state)
{
    int master = pty_open_master(), terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    int file = open("/proc/self/exe", O_RDONLY);
    (void)state;

    open_pipe();
    assert_non_null(world.queue.loop);
    assert_true(terminal >= 0 && file >= 0);
    assert_not_queued(file);
    assert_not_queued(-1);
    assert_not_queued(master); /* its name leads to a new one */
    failing_start(FAILING_OPEN, 0, EACCES);
    assert_not_queued(terminal);
    assert_true(failing_stop());
    close(file);
    close(terminal);
    close(master);
    close_pipe();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reader_that_pauses),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_other_pieces),
        cmocka_unit_test(test_the_end_waits),
        cmocka_unit_test(test_after_the_end),
        cmocka_unit_test(test_the_end_without_a_reader),
        cmocka_unit_test(test_a_full_queue),
        cmocka_unit_test(test_a_reader_that_goes),
        cmocka_unit_test(test_an_error_in_the_loop),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_the_order_of_two),
        cmocka_unit_test(test_two_pipes),
        cmocka_unit_test(test_a_terminal_that_nobody_reads),
        cmocka_unit_test(test_a_terminal_that_is_held),
        cmocka_unit_test(test_a_terminal_without_room),
        cmocka_unit_test(test_a_terminal_that_stays_without_room),
        cmocka_unit_test(test_a_terminal_that_stays_without_room_unqueued),
        cmocka_unit_test(test_a_terminal_that_gets_no_room),
        cmocka_unit_test(test_what_is_not_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
