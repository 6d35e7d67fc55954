/* terminal.c: see terminal.h. */
#include "base/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

size_t terminal_width(int descriptor)
{
    struct winsize size;

    if (ioctl(descriptor, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col < TERMINAL_WIDTH_MAX ? size.ws_col : TERMINAL_WIDTH_MAX;
}

bool terminal_is_named(void)
{
    const char *term = getenv("TERM");

    return term && *term && strcmp(term, "dumb") != 0;
}

bool terminal_is_smart(int descriptor)
{
    return isatty(descriptor) && terminal_is_named();
}

bool terminal_is_same(int descriptor, int other)
{
    unsigned device, others;

    return ioctl(descriptor, TIOCGDEV, &device) == 0 && ioctl(other, TIOCGDEV, &others) == 0 &&
           device == others;
}

/* The name under /proc leads to the terminal also where its own name is out of reach, as in a
 * container. */
int terminal_open_again(int descriptor)
{
    char path[32];

    if (!isatty(descriptor))
        return -1;

    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    int again = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (again >= 0 && !terminal_is_same(descriptor, again)) {
        close(again); /* a master's name leads to a new pseudo terminal */
        again = -1;
    }
    return again;
}
