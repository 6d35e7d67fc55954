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

#endif
