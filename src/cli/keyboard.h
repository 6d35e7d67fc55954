/*
 * keyboard.h: lines that somebody types at the terminal, while the loop runs.
 */
#ifndef ESP_OTA_CLI_KEYBOARD_H
#define ESP_OTA_CLI_KEYBOARD_H

#include "base/loop.h"
#include <stddef.h>

enum { KEYBOARD_LINE_MAX = 1024 };

struct keyboard;

/* A line without its end; longer ones come in pieces. Valid during the call. */
typedef void keyboard_line_fn(const char *line, size_t length, void *userdata);

/* Reads standard input from now on, until it ends. The terminal stays as it is: it collects and
 * shows lines itself. NULL when memory ran out. */
struct keyboard *keyboard_start(struct loop *loop, keyboard_line_fn *on_line, void *userdata);
void keyboard_free(struct keyboard *keyboard);

#endif
