/*
 * console.c: reads lines of bounded length from standard input, and writes messages to standard
 * output, one a line. Neither descriptor is made non-blocking, as others may share it.
 */
#include "pluggable/console.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/json_memory.h"
#include "base/stdio_guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 1024,  /* IDEs send up to about a hundred */
    SHOWN_MAX = 100,        /* of a command in a message */
    PATIENCE_MS = 10 * 1000 /* an IDE that reads nothing for that long hangs */
};

enum console_state {
    CONSOLE_READING,  /* its input is watched, but while on_resume() answers what has arrived */
    CONSOLE_PAUSED,   /* a reply takes time */
    CONSOLE_RESUMING, /* the timer will answer what has arrived, and read on */
    CONSOLE_OVER
};

struct console {
    struct loop *loop;
    struct console_callbacks callbacks;
    struct ota_failure *failure;
    struct loop_watch watch;
    struct loop_timer resume;
    char buffer[LINE_MAX_BYTES];
    size_t used;
    bool is_skipping; /* to the end of a line that was too long */
    bool has_ended;   /* no more input comes */
    bool is_greeted;
    enum console_state state;
};

static void end_console(struct console *console)
{
    console->state = CONSOLE_OVER;
    loop_watch_stop(&console->watch);
    loop_timer_stop(&console->resume);
    loop_quit(console->loop);
}

/* -- messages -- */

void console_send(struct console *console, json_t *message)
{
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    int error = text && !json_memory_has_run_out() ? 0 : ENOMEM;

    json_decref(message);
    if (error == 0 && console->state != CONSOLE_OVER) {
        size_t length = strlen(text);

        text[length] = '\n'; /* in place of the terminator: one message is one write */
        error = stdio_guard_write(STDOUT_FILENO, text, length + 1, PATIENCE_MS);
    }
    free(text);

    if (error == 0 || console->state == CONSOLE_OVER)
        return;
    if (error == ENOMEM)
        ota_fail_no_memory(console->failure);
    else
        ota_fail_stdout(console->failure, error);
    end_console(console);
}

void console_send_ok(struct console *console, const char *event)
{
    json_memory_watch();
    console_send(console, json_pack("{s:s, s:s}", "eventType", event, "message", "OK"));
}

void console_send_error(struct console *console, const char *event, const char *text)
{
    json_memory_watch();
    console_send(console,
                 json_pack("{s:s, s:b, s:s}", "eventType", event, "error", 1, "message", text));
}

/* -- commands -- */

static void reject_line(struct console *console, const char *what, const char *line, size_t length)
{
    char shown[SHOWN_MAX], message[2 * SHOWN_MAX];

    escape_text(shown, sizeof shown, line, length);
    snprintf(message, sizeof message, what, shown);
    console_send_error(console, request_event(REQUEST_MALFORMED), message);
}

/* There is one version of both protocols, so every client supports it. */
static void answer_greeting(struct console *console)
{
    if (console->is_greeted) {
        console_send_error(console, request_event(REQUEST_HELLO), "HELLO was already sent");
        return;
    }

    console->is_greeted = true;
    json_memory_watch();
    console_send(console, json_pack("{s:s, s:i, s:s}", "eventType", request_event(REQUEST_HELLO),
                                    "protocolVersion", 1, "message", "OK"));
}

static void answer_line(struct console *console, const char *line, size_t length)
{
    char text[LINE_MAX_BYTES + 1];
    struct request request;

    memcpy(text, line, length);
    request_read(&request, text, length);

    if (request.verb == REQUEST_QUIT) {
        console_send_ok(console, request_event(REQUEST_QUIT));
        end_console(console);
    } else if (request.verb == REQUEST_HELLO) {
        answer_greeting(console);
    } else if (request.verb == REQUEST_MALFORMED || !console->callbacks.is_known(request.verb)) {
        reject_line(console, "Unknown command %s", line, length);
    } else if (!console->is_greeted) {
        reject_line(console, "First command must be HELLO, but got %s", line, length);
    } else {
        console->callbacks.on_request(&request, console->callbacks.userdata);
    }
}

/* Takes a line from the buffer, with end bytes behind it, and answers it. */
static void take_line(struct console *console, size_t length, size_t end)
{
    char line[LINE_MAX_BYTES];
    bool is_rest = console->is_skipping;

    memcpy(line, console->buffer, length);
    console->used -= length + end;
    memmove(console->buffer, console->buffer + length + end, console->used);
    console->is_skipping = false;
    if (!is_rest)
        answer_line(console, line, length);
}

static void skip_long_line(struct console *console)
{
    if (!console->is_skipping)
        reject_line(console, "Unknown command, longer than a line may be: %s", console->buffer,
                    console->used);
    console->is_skipping = true;
    console->used = 0;
}

/* Answers the lines that have arrived, until one takes time. */
static void answer_lines(struct console *console)
{
    while (console->state == CONSOLE_READING) {
        const char *newline = memchr(console->buffer, '\n', console->used);

        if (newline) {
            take_line(console, (size_t)(newline - console->buffer), 1);
        } else if (console->has_ended && console->used > 0) {
            take_line(console, console->used, 0);
        } else if (console->has_ended) {
            end_console(console);
        } else {
            if (console->used == sizeof console->buffer)
                skip_long_line(console);
            return;
        }
    }
}

static void on_input(unsigned events, void *userdata)
{
    struct console *console = userdata;
    ssize_t got =
        read(STDIN_FILENO, console->buffer + console->used, sizeof console->buffer - console->used);
    (void)events;

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got < 0) {
        const bool is_closed = errno == EBADF;

        ota_fail_errno(console->failure, OTA_E_INTERNAL, errno, "standard input cannot be read: %s",
                       input_error(errno));
        if (is_closed)
            console->failure->cause = OTA_CAUSE_CLOSED;
        end_console(console);
        return;
    }

    console->used += (size_t)got;
    console->has_ended = got == 0;
    answer_lines(console);
}

static int watch_input(struct console *console)
{
    return loop_watch_start(&console->watch, console->loop, STDIN_FILENO, LOOP_READABLE, on_input,
                            console);
}

static void fail_watch(struct console *console)
{
    ota_fail_call(console->failure, "standard input cannot be watched");
}

static void on_resume(void *userdata)
{
    struct console *console = userdata;

    console->state = CONSOLE_READING;
    answer_lines(console);
    /* A reply may take time again, or have come at once: then this timer runs again. */
    if (console->state != CONSOLE_READING || watch_input(console) == 0)
        return;

    fail_watch(console);
    end_console(console);
}

void console_pause(struct console *console)
{
    if (console->state == CONSOLE_OVER)
        return;

    console->state = CONSOLE_PAUSED;
    loop_watch_stop(&console->watch);
    loop_timer_stop(&console->resume);
}

void console_resume(struct console *console)
{
    if (console->state != CONSOLE_PAUSED)
        return;

    console->state = CONSOLE_RESUMING;
    loop_timer_start(&console->resume, 0);
}

struct console *console_start(struct loop *loop, const struct console_callbacks *callbacks,
                              struct ota_failure *failure)
{
    struct console *console = calloc(1, sizeof *console);
    if (!console) {
        ota_fail_no_memory(failure);
        return NULL;
    }

    console->loop = loop;
    console->callbacks = *callbacks;
    console->failure = failure;
    loop_timer_init(&console->resume, loop, on_resume, console);
    if (watch_input(console) == 0)
        return console;

    fail_watch(console);
    console_free(console);
    return NULL;
}

void console_free(struct console *console)
{
    if (!console)
        return;

    loop_watch_stop(&console->watch);
    loop_timer_stop(&console->resume);
    free(console);
}
