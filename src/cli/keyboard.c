/*
 * keyboard.c: see keyboard.h. Reads standard input, and nothing else.
 */
#include "cli/keyboard.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct keyboard {
    const AvahiPoll *poll_api;
    AvahiWatch *watch; /* NULL: standard input has ended */
    keyboard_line_fn *on_line;
    void *userdata;
    size_t length;
    char line[KEYBOARD_LINE_MAX];
};

static void stop(struct keyboard *keyboard)
{
    if (keyboard->watch)
        keyboard->poll_api->watch_free(keyboard->watch);
    keyboard->watch = NULL;
}

static void hand_out(struct keyboard *keyboard)
{
    size_t length = keyboard->length;
    keyboard->length = 0;
    keyboard->on_line(keyboard->line, length, keyboard->userdata);
}

static void take(struct keyboard *keyboard, char character)
{
    if (character == '\n' || keyboard->length == sizeof keyboard->line)
        hand_out(keyboard);
    if (character != '\n')
        keyboard->line[keyboard->length++] = character;
}

static void on_readable(AvahiWatch *watch, int descriptor, AvahiWatchEvent event, void *userdata)
{
    (void)watch;
    (void)event;
    struct keyboard *keyboard = userdata;
    char bytes[KEYBOARD_LINE_MAX];
    ssize_t count = read(descriptor, bytes, sizeof bytes);
    for (ssize_t i = 0; i < count; i++)
        take(keyboard, bytes[i]);
    bool has_ended = count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN);
    if (has_ended)
        stop(keyboard);
    if (has_ended && keyboard->length > 0)
        hand_out(keyboard);
}

struct keyboard *keyboard_start(const AvahiPoll *poll_api, keyboard_line_fn *on_line,
                                void *userdata)
{
    struct keyboard *keyboard = calloc(1, sizeof *keyboard);
    if (!keyboard)
        return NULL;
    *keyboard = (struct keyboard){.poll_api = poll_api, .on_line = on_line, .userdata = userdata};
    keyboard->watch =
        poll_api->watch_new(poll_api, STDIN_FILENO, AVAHI_WATCH_IN, on_readable, keyboard);
    if (keyboard->watch)
        return keyboard;
    free(keyboard);
    return NULL;
}

void keyboard_free(struct keyboard *keyboard)
{
    if (!keyboard)
        return;
    stop(keyboard);
    free(keyboard);
}
