/*
 * test-terminal.c: what is known of a terminal, and of what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int master, terminal;

static int set_up(void **state)
{
    (void)state;
    master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        return -1;
    terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    return terminal < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(terminal);
    close(master);
    return 0;
}

static void set_width(unsigned short columns)
{
    const struct winsize size = {.ws_row = 24, .ws_col = columns};

    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
}

static void test_width(void **state)
{
    (void)state;

    set_width(0);
    assert_int_equal(terminal_width(terminal), 0);
    set_width(20);
    assert_int_equal(terminal_width(terminal), 20);
    set_width(80);
    assert_int_equal(terminal_width(terminal), 80);
    set_width(65535);
    assert_int_equal(terminal_width(terminal), TERMINAL_WIDTH_MAX);
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

    setenv("TERM", "xterm", 1);
    assert_true(terminal_is_smart(terminal));
    setenv("TERM", "dumb", 1);
    assert_false(terminal_is_smart(terminal));
    setenv("TERM", "", 1);
    assert_false(terminal_is_smart(terminal));
    unsetenv("TERM");
    assert_false(terminal_is_smart(terminal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_no_terminal),
        cmocka_unit_test(test_smart),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
