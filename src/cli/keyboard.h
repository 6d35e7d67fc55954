/*
 * keyboard.h: reads lines from standard input while the loop runs.
 */
#ifndef ESP_OTA_CLI_KEYBOARD_H
#define ESP_OTA_CLI_KEYBOARD_H

#include "base/loop.h"
#include <stddef.h>

enum { KEYBOARD_LINE_MAX = 1024 };

struct keyboard;

/* Called with each line, without its end. Lines of more than KEYBOARD_LINE_MAX bytes come in
 * pieces. line is valid during the call only. */
typedef void keyboard_line_fn(const char *line, size_t length, void *userdata);

/* Reads standard input from now on, until it ends. The mode of the terminal does not change: the
 * terminal itself echoes and edits lines. NULL and errno if memory or watches (loop.h) run out. */
struct keyboard *keyboard_start(struct loop *loop, keyboard_line_fn *on_line, void *userdata);
void keyboard_free(struct keyboard *keyboard);

#endif
