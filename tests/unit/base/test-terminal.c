/*
 * test-terminal.c: what is known of a terminal, and of what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/terminal.h"
#include "support/pty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int open_terminal(int *master)
{
    *master = pty_open_master();
    int terminal = open(ptsname(*master), O_RDWR | O_NOCTTY);

    assert_true(terminal >= 0);
    return terminal;
}

static void set_width(int terminal, unsigned short columns)
{
    const struct winsize size = {.ws_row = 24, .ws_col = columns};

    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
}

static void test_width(void **state)
{
    (void)state;
    int master, terminal = open_terminal(&master);

    set_width(terminal, 0);
    assert_int_equal(terminal_width(terminal), 0);
    set_width(terminal, 20);
    assert_int_equal(terminal_width(terminal), 20);
    set_width(terminal, 80);
    assert_int_equal(terminal_width(terminal), 80);
    set_width(terminal, 65535);
    assert_int_equal(terminal_width(terminal), TERMINAL_WIDTH_MAX);
    close(terminal);
    close(master);
}

static void test_no_terminal(void **state)
{
    int ends[2];
    (void)state;

    assert_int_equal(pipe(ends), 0);
    setenv("TERM", "xterm", 1);
    assert_int_equal(terminal_width(ends[1]), 0);
    assert_false(terminal_is_smart(ends[1]));
    close(ends[0]);
    close(ends[1]);
}

static void test_smart(void **state)
{
    (void)state;
    int master, terminal = open_terminal(&master);

    setenv("TERM", "xterm", 1);
    assert_true(terminal_is_smart(terminal));
    setenv("TERM", "dumb", 1);
    assert_false(terminal_is_smart(terminal));
    setenv("TERM", "", 1);
    assert_false(terminal_is_smart(terminal));
    unsetenv("TERM");
    assert_false(terminal_is_smart(terminal));
    close(terminal);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_no_terminal),
        cmocka_unit_test(test_smart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
