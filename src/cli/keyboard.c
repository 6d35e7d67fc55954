/*
 * keyboard.c: splits standard input into lines.
 */
#include "cli/keyboard.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct keyboard {
    struct loop *loop;
    struct loop_watch watch; /* stopped at the end of standard input */
    keyboard_line_fn *on_line;
    void *userdata;
    size_t length;
    char line[KEYBOARD_LINE_MAX];
};

static void hand_out_typed_line(struct keyboard *keyboard)
{
    size_t length = keyboard->length;

    keyboard->length = 0;
    keyboard->on_line(keyboard->line, length, keyboard->userdata);
}

static void append_character(struct keyboard *keyboard, char character)
{
    if (character == '\n' || keyboard->length == sizeof keyboard->line)
        hand_out_typed_line(keyboard);
    if (character != '\n')
        keyboard->line[keyboard->length++] = character;
}

static void on_keyboard_readable(unsigned events, void *userdata)
{
    (void)events;
    struct keyboard *keyboard = userdata;
    char bytes[KEYBOARD_LINE_MAX];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);

    for (ssize_t i = 0; i < count; i++)
        append_character(keyboard, bytes[i]);

    bool has_ended = count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN);
    if (has_ended)
        loop_watch_stop(&keyboard->watch);
    if (has_ended && keyboard->length > 0)
        hand_out_typed_line(keyboard);
}

struct keyboard *keyboard_start(struct loop *loop, keyboard_line_fn *on_line, void *userdata)
{
    struct keyboard *keyboard = calloc(1, sizeof *keyboard);
    if (!keyboard)
        return NULL;

    *keyboard = (struct keyboard){.loop = loop, .on_line = on_line, .userdata = userdata};
    if (loop_watch_start(&keyboard->watch, loop, STDIN_FILENO, LOOP_READABLE, on_keyboard_readable,
                         keyboard) < 0) {
        free(keyboard);
        return NULL;
    }
    return keyboard;
}

void keyboard_free(struct keyboard *keyboard)
{
    if (!keyboard)
        return;

    loop_watch_stop(&keyboard->watch);
    free(keyboard);
}
