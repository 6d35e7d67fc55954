/*
 * test-keyboard.c: lines from standard input, which is a pipe here, with the real loop.
 */
#include "cli/keyboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"
#include "support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { PARTS = 4 };

static const int64_t PATIENCE_US = 5000000;

/* One standard input, with the lines that were read from it. */
static struct world {
    struct loop *loop;
    struct loop_timer timeout;
    struct keyboard *keyboard;
    int saved, typist; /* the real standard input, and the writing end of the pipe */
    bool is_late;
    size_t lines, wanted; /* number of lines; the loop ends when it reaches wanted */
    char text[16384];     /* all lines, each in brackets */
} world;

static void on_typed_line(const char *line, size_t length, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    size_t used = strlen(world.text);
    int added = snprintf(world.text + used, sizeof world.text - used, "[%.*s]", (int)length, line);
    assert_true(added >= 0 && (size_t)added < sizeof world.text - used);
    if (++world.lines == world.wanted)
        loop_quit(world.loop);
}

static void on_late(void *userdata)
{
    (void)userdata;
    world.is_late = true;
    loop_quit(world.loop);
}

static void begin_keyboard(void)
{
    int pipes[2];

    world = (struct world){.loop = loop_new()};
    assert_non_null(world.loop);
    assert_int_equal(pipe(pipes), 0);
    world.saved = dup(STDIN_FILENO);
    world.typist = pipes[1];
    assert_true(world.saved >= 0 && dup2(pipes[0], STDIN_FILENO) >= 0);
    close(pipes[0]);
    world.keyboard = keyboard_start(world.loop, on_typed_line, &world);
    assert_non_null(world.keyboard);
}

static void end_keyboard(void)
{
    keyboard_free(world.keyboard);
    loop_free(world.loop);
    if (world.typist >= 0)
        close(world.typist);
    dup2(world.saved, STDIN_FILENO);
    close(world.saved);
}

static void type_at_keyboard(const char *text, size_t length)
{
    assert_int_equal(write(world.typist, text, length), length);
}

static void hang_up(void)
{
    close(world.typist);
    world.typist = -1;
}

/* Runs the loop until this many lines have come in all. */
static void run_keyboard_until(size_t lines)
{
    world.wanted = lines;
    if (world.lines >= lines)
        return;

    loop_timer_init(&world.timeout, world.loop, on_late, NULL);
    loop_timer_start(&world.timeout, PATIENCE_US);
    assert_int_equal(loop_run(world.loop), 0);
    loop_timer_stop(&world.timeout);
    assert_false(world.is_late);
}

static void test_typed_lines(void **state)
{
    (void)state;

    static const struct {
        const char *parts[PARTS]; /* pieces that are written; NULL: standard input ends */
        size_t lines;
        const char *text;
    } rows[] = {
        {{"help\n"}, 1, "[help]"},
        {{"one\ntwo\n\nfour\n"}, 4, "[one][two][][four]"},
        {{"re", "boo", "t\nx\n"}, 2, "[reboot][x]"},
        {{"tab\t\\ \xc3\xa4\r\n"}, 1, "[tab\t\\ \xc3\xa4\r]"},
        {{"one\nrest"}, 2, "[one][rest]"}, /* the end of standard input ends the line */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin_keyboard();
        for (size_t part = 0; part < PARTS && rows[i].parts[part]; part++)
            type_at_keyboard(rows[i].parts[part], strlen(rows[i].parts[part]));
        hang_up();
        run_keyboard_until(rows[i].lines);
        assert_string_equal(world.text, rows[i].text);
        end_keyboard();
    }
}

/* A line that comes in pieces is handed out when it is complete. */
static void test_by_and_by(void **state)
{
    (void)state;

    begin_keyboard();
    type_at_keyboard("one\nre", 6);
    run_keyboard_until(1);
    assert_string_equal(world.text, "[one]");
    type_at_keyboard("boot\n", 5);
    run_keyboard_until(2);
    assert_string_equal(world.text, "[one][reboot]");
    end_keyboard();
}

/* Lines of about the maximum length come in pieces, none of them empty. */
static void test_long_typed_lines(void **state)
{
    (void)state;
    static const size_t rows[][PARTS] = {
        {KEYBOARD_LINE_MAX - 1},
        {KEYBOARD_LINE_MAX},
        {KEYBOARD_LINE_MAX, 1},
        {KEYBOARD_LINE_MAX, KEYBOARD_LINE_MAX},
        {KEYBOARD_LINE_MAX, KEYBOARD_LINE_MAX, KEYBOARD_LINE_MAX, 7},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char line[4 * KEYBOARD_LINE_MAX];
        size_t pieces = 0, length = 0;
        for (; pieces < PARTS && rows[i][pieces]; pieces++)
            length += rows[i][pieces];
        memset(line, '.', sizeof line);
        memcpy(line + length, "\nend\n", 5);
        begin_keyboard();
        type_at_keyboard(line, length + 5);
        run_keyboard_until(pieces + 1);
        const char *next = world.text;
        for (size_t piece = 0; piece < pieces; piece++) {
            assert_int_equal(strspn(next + 1, "."), rows[i][piece]);
            next += rows[i][piece] + 2;
        }
        assert_string_equal(next, "[end]");
        end_keyboard();
    }
}

static void stop_run(void *userdata)
{
    (void)userdata;
    loop_quit(world.loop);
}

/* Runs at least one turn of the loop. */
static void turn_keyboard(void)
{

    loop_timer_init(&world.timeout, world.loop, stop_run, NULL);
    loop_timer_start(&world.timeout, 0);
    assert_int_equal(loop_run(world.loop), 0);
}

/* New input must stay unread from now on. */
static void assert_reads_no_more(void)
{
    int pipes[2];
    char byte = 0;

    assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
    assert_true(dup2(pipes[0], STDIN_FILENO) >= 0);
    assert_int_equal(write(pipes[1], "x\n", 2), 2);
    turn_keyboard();
    assert_int_equal(read(STDIN_FILENO, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(pipes[0]);
    close(pipes[1]);
}

/* At the end of standard input the watch is stopped, or the loop would never rest. */
static void test_end_of_file(void **state)
{
    (void)state;

    begin_keyboard();
    type_at_keyboard("one\n", 4);
    hang_up();
    run_keyboard_until(1);
    turn_keyboard();
    turn_keyboard();
    assert_reads_no_more();
    assert_string_equal(world.text, "[one]");
    end_keyboard();
}

/* An error in reading standard input counts as its end. */
static void test_unreadable_keyboard(void **state)
{
    (void)state;

    begin_keyboard();
    int directory = open("/", O_RDONLY | O_DIRECTORY);
    assert_true(directory >= 0 && dup2(directory, STDIN_FILENO) >= 0);
    close(directory);
    turn_keyboard();
    turn_keyboard();
    assert_reads_no_more();
    assert_string_equal(world.text, "");
    end_keyboard();
}

static void test_keyboard_no_memory(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    int closed = dup(STDIN_FILENO);

    close(STDIN_FILENO);
    assert_null(keyboard_start(loop, on_typed_line, &world)); /* the watch cannot be started */
    assert_int_equal(dup2(closed, STDIN_FILENO), STDIN_FILENO);
    close(closed);
    failing_start(FAILING_ALLOCATION, 0, ENOMEM);
    struct keyboard *keyboard = keyboard_start(loop, on_typed_line, &world);
    failing_stop();
    assert_null(keyboard);
    keyboard_free(NULL);
    loop_free(loop);
}

/* The caller says that typed lines are not sent, and why. */
static void test_no_more_watches(void **state)
{
    (void)state;

    begin_keyboard();
    failing_start(FAILING_EPOLL_CTL, 0, ENOSPC);
    struct keyboard *refused = keyboard_start(world.loop, on_typed_line, &world);
    const int reason = errno;
    assert_true(failing_stop());
    assert_null(refused);
    assert_int_equal(reason, ENFILE);
    end_keyboard();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typed_lines),         cmocka_unit_test(test_by_and_by),
        cmocka_unit_test(test_long_typed_lines),    cmocka_unit_test(test_end_of_file),
        cmocka_unit_test(test_unreadable_keyboard), cmocka_unit_test(test_keyboard_no_memory),
        cmocka_unit_test(test_no_more_watches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
