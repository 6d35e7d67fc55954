/*
 * terminal.h: what the terminal behind a file descriptor can do.
 */
#ifndef ESP_OTA_BASE_TERMINAL_H
#define ESP_OTA_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* The width in columns, at most TERMINAL_WIDTH_MAX; 0: unknown, or no terminal. Ask each time, as a
 * window may be resized. */
enum { TERMINAL_WIDTH_MAX = 1000 };
size_t terminal_width(int descriptor);

/* Whether TERM names a terminal: a person has started this program, perhaps through others. */
bool terminal_is_named(void);

/* Whether it is a terminal on which "erase to the end of the line" works. */
bool terminal_is_smart(int descriptor);

/* Opens the terminal behind it once more, for writing and with O_NONBLOCK, which the descriptor
 * itself may share with other programs. -1 if it is no terminal, or cannot be opened: another
 * user's, no /proc, the master of a pseudo terminal. */
int terminal_open_again(int descriptor);

/* Whether both are the same terminal, by whatever names they were opened (/dev/tty). */
bool terminal_is_same(int descriptor, int other);

#endif
