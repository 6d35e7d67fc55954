/*
 * diag.c: the only writer on standard error. Each message is one write(2), so that the lines of
 * parallel programs do not mix. On a terminal, the status line or a pending question is erased
 * before a message and redrawn after it.
 *
 * The global state is the level, the start time, the status line, the question and the queue.
 * Failures to write standard error are ignored, as there is no place left to report them.
 */
#include "base/diag.h"

#include "base/loop.h"
#include "base/stdio_guard.h"
#include "base/terminal.h"
#include "base/write_queue.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, STATUS_MAX_BYTES = 2048 };

static enum diag_level current_level = DIAG_LEVEL_INFO;
static int64_t start_us;
static char status[STATUS_MAX_BYTES]; /* "": no status line is drawn */
static size_t columns_used; /* of the last line, by a status line: they have to be written over */
static bool status_on_terminal;
static const char *question; /* NULL: none is pending */
static bool reader_has_stopped;
static struct write_queue queue = {.fd = STDERR_FILENO};

void diag_set_level(enum diag_level level)
{
    current_level = level;
    if (!start_us)
        start_us = loop_now_us();
}

bool diag_enabled(enum diag_level level)
{
    return level <= current_level;
}

struct write_queue *diag_queue(struct loop *loop)
{
    write_queue_start(&queue, loop, NULL);
    return &queue;
}

void diag_end_queue(void)
{
    reader_has_stopped |= write_queue_end(&queue) != 0;
}

/* Waits until standard error takes a write; false when it does not, or a signal comes. */
static bool wait_until_writable(void)
{
    if (stdio_guard_takes(STDERR_FILENO, 0))
        return true;
    if (reader_has_stopped)
        return false;

    const int64_t waiting_since_us = loop_now_us();

    if (stdio_guard_takes(STDERR_FILENO, STDIO_GUARD_PATIENCE_MS))
        return true;

    /* Less time has passed if a signal has interrupted the wait. */
    if (loop_now_us() - waiting_since_us >= (int64_t)STDIO_GUARD_PATIENCE_MS * 1000)
        reader_has_stopped = true;
    return false;
}

static void put_text(const char *text, size_t length)
{
    if (queue.loop) {
        write_queue_put(&queue, text, length);
        return;
    }

    while (length > 0 && wait_until_writable()) {
        ssize_t written = write(STDERR_FILENO, text, length);
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

/* Returns the bytes that make room for a message in the line of the question. A question that may
 * be wrapped is not erased. (It has at least as many bytes as columns.) */
static const char *begin_over_question(void)
{
    return terminal_is_smart(STDERR_FILENO) && strlen(question) < terminal_width(STDERR_FILENO)
               ? "\r\x1b[K"
               : "\n";
}

/* Returns the bytes before a text that takes the place of the status line: on a terminal they erase
 * the line, elsewhere the text is written over it. */
static const char *begin_over(size_t columns)
{
    if (question)
        return begin_over_question();
    if (columns == 0)
        return "";
    return status_on_terminal ? "\r\x1b[K" : "\r";
}

/* Returns how many blanks behind a text of length bytes cover the rest of the line below it. */
static int rest_over(size_t columns, size_t length)
{
    return !status_on_terminal && columns > length ? (int)(columns - length) : 0;
}

static void write_message(enum diag_level level, const char *prefix, const char *format,
                          va_list arguments)
{
    char text[LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES + 2 * STATUS_MAX_BYTES + 64];

    if (!diag_enabled(level))
        return;

    vsnprintf(text, sizeof text, format, arguments);
    if (!status_on_terminal)
        *status = '\0'; /* it is drawn again when there is news */
    int length = snprintf(line, sizeof line, "%s%s%s%*s\n%s", begin_over(columns_used), prefix,
                          text, rest_over(columns_used, strlen(prefix) + strlen(text)), "",
                          question ? question : status);
    columns_used = strlen(status);
    if (length > 0)
        put_text(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

void diag_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(DIAG_LEVEL_ERROR, "esp-ota: ", format, arguments);
    va_end(arguments);
}

void diag_warning(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(DIAG_LEVEL_WARNING, "esp-ota: warning: ", format, arguments);
    va_end(arguments);
}

void diag_notice(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(DIAG_LEVEL_ERROR, "", format, arguments);
    va_end(arguments);
}

void diag_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(DIAG_LEVEL_INFO, "", format, arguments);
    va_end(arguments);
}

void diag_debug(const char *format, ...)
{
    char prefix[32];
    va_list arguments;

    if (!diag_enabled(DIAG_LEVEL_DEBUG))
        return;

    snprintf(prefix, sizeof prefix, "[%7.3f] ", (double)(loop_now_us() - start_us) / 1e6);
    va_start(arguments, format);
    write_message(DIAG_LEVEL_DEBUG, prefix, format, arguments);
    va_end(arguments);
}

void diag_status(const char *line)
{
    char drawn[2 * STATUS_MAX_BYTES + 8];

    if (question || !write_queue_is_ready(&queue))
        return; /* the next status line will do */

    status_on_terminal = isatty(STDERR_FILENO) == 1;
    snprintf(status, sizeof status, "%s", line);
    int length = snprintf(drawn, sizeof drawn, "%s%s%*s", begin_over(columns_used), status,
                          rest_over(columns_used, strlen(status)), "");
    columns_used = strlen(status);
    if (length > 0)
        put_text(drawn, (size_t)length);
}

void diag_status_end(void)
{
    if (*status)
        put_text("\n", 1);
    diag_status_forget();
}

void diag_status_clear(void)
{
    *status = '\0';
    if (!status_on_terminal)
        return; /* the next line is written over it */

    put_text(begin_over(columns_used), strlen(begin_over(columns_used)));
    columns_used = 0;
}

void diag_status_forget(void)
{
    *status = '\0';
    columns_used = 0;
}

int diag_put_on(int terminal, const char *text)
{
    const size_t length = strlen(text);

    if (queue.loop && terminal_is_same(terminal, STDERR_FILENO)) {
        errno = write_queue_put(&queue, text, length);
        return errno ? -1 : 0;
    }
    return write(terminal, text, length) == (ssize_t)length ? 0 : -1;
}

void diag_question(const char *text)
{
    question = isatty(STDERR_FILENO) == 1 ? text : NULL;
    diag_status_forget();
}

void diag_question_leave(void)
{
    if (question)
        put_text(begin_over_question(), strlen(begin_over_question()));
}

void diag_question_repeat(void)
{
    if (question)
        put_text(question, strlen(question));
}
