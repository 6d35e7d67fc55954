/*
 * transcript.c: one place where lines of boards' logs become text. It decides nothing else.
 *
 * Of one board an unfinished line (a prompt, half a line) is shown at once, and what follows behind
 * it. Of several it waits until it is whole, so that they do not mix.
 */
#include "output/transcript.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/file_replace.h"
#include "base/write_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PREFIX_MAX = 1200, TEXT_MAX = 6 * LINE_SPLITTER_MAX + 1, PATH_SHOWN = 512 };

/* A place that lines go to. */
struct output {
    struct write_queue queue; /* its fd -1: none */
    const char *name;         /* printable */
    bool is_colored;
    bool is_open;   /* the last line there is unfinished */
    bool is_lost;   /* it could not be written; no further one is tried */
    int reason;     /* why: an errno */
    bool is_closed; /* the reader has had enough: head, grep -m1 */
};

struct transcript {
    enum timestamps timestamps;
    bool raw;
    struct output terminal;
    struct output file;
    char path[PATH_SHOWN]; /* of --log, escaped */
};

static bool has_colors(void)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0 &&
           (!no_color || !*no_color);
}

enum ota_error transcript_open(struct transcript **transcript,
                               const struct transcript_settings *settings,
                               struct ota_failure *failure)
{
    *transcript = calloc(1, sizeof **transcript);
    if (!*transcript)
        return ota_fail_no_memory(failure);
    **transcript =
        (struct transcript){.timestamps = settings->timestamps,
                            .raw = settings->raw,
                            .terminal = {.queue.fd = settings->to_stdout ? STDOUT_FILENO : -1,
                                         .name = "standard output",
                                         .is_colored = has_colors()},
                            .file = {.queue.fd = -1, .name = (*transcript)->path}};
    if (!settings->path)
        return OTA_OK;
    escape_string((*transcript)->path, PATH_SHOWN, settings->path);
    (*transcript)->file.queue.fd = open(
        settings->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
    if ((*transcript)->file.queue.fd >= 0)
        return OTA_OK;
    const int reason = errno;
    ota_fail(failure, OTA_E_OUTPUT, "cannot open %s to write the log there: %s",
             (*transcript)->path, file_open_error(settings->path, reason));
    failure->cause = file_open_cause(settings->path, reason);
    return failure->error;
}

void transcript_queue(struct transcript *transcript, struct loop *loop,
                      struct write_queue *messages)
{
    write_queue_start(&transcript->terminal.queue, loop, messages);
    write_queue_start(&transcript->file.queue, loop, messages);
}

/* The same board has the same color in every run. */
static unsigned color_of(const char *board)
{
    static const unsigned colors[] = {31, 32, 33, 34, 35, 36};
    unsigned sum = 5381;
    for (; *board; board++)
        sum = sum * 33 + (unsigned char)*board;
    return colors[sum % (sizeof colors / sizeof *colors)];
}

static size_t print_timestamp(char *text, size_t capacity, enum timestamps timestamps,
                              int64_t since_start_us)
{
    struct timeval now;
    struct tm parts;
    char day[32];

    if (timestamps == TIMESTAMPS_NONE)
        return 0;
    if (timestamps == TIMESTAMPS_SINCE_START)
        return (size_t)snprintf(text, capacity, "%9.3f  ", (double)since_start_us / 1e6);

    gettimeofday(&now, NULL);
    if (!localtime_r(&now.tv_sec, &parts))
        return 0;
    strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", &parts);
    return (size_t)snprintf(text, capacity, "%s.%03ld  ", day, (long)now.tv_usec / 1000);
}

static size_t print_prefix(char *text, const struct transcript *transcript,
                           const struct output *output, const char *board, int64_t since_start_us)
{
    size_t used = print_timestamp(text, PREFIX_MAX, transcript->timestamps, since_start_us);
    if (board && output->is_colored)
        used += (size_t)snprintf(text + used, PREFIX_MAX - used, "\x1b[%um%s:\x1b[0m ",
                                 color_of(board), board);
    else if (board)
        used += (size_t)snprintf(text + used, PREFIX_MAX - used, "%s: ", board);
    return used < PREFIX_MAX ? used : PREFIX_MAX - 1;
}

static size_t print_bytes(char *text, const struct transcript *transcript,
                          const unsigned char *bytes, size_t length)
{
    if (transcript->raw) {
        memcpy(text, bytes, length);
        return length;
    }
    return strlen(escape_line(text, TEXT_MAX, bytes, length));
}

/* The first failure counts. A signal that ends the waiting is one, so that no further line
 * waits. */
static void judge_write(struct output *output, int error)
{
    if (output->is_lost || output->is_closed)
        return;
    output->is_closed = error == EPIPE;
    output->is_lost = error != 0 && !output->is_closed;
    output->reason = output->is_lost ? error : 0;
}

static void put_bytes(struct output *output, const char *text, size_t length)
{
    if (!output->is_lost && !output->is_closed)
        judge_write(output, write_queue_put(&output->queue, text, length));
}

static void add_line_to(const struct transcript *transcript, struct output *output,
                        const char *board, const struct line *line, int64_t since_start_us)
{
    char text[PREFIX_MAX + TEXT_MAX + 2];
    size_t used = 0, shown = output->is_open ? line->shown : 0;
    bool goes_on = output->is_open && (line->shown || line->is_continuation);

    if (output->queue.fd < 0 || output->is_lost || output->is_closed)
        return;

    if (output->is_open && !goes_on)
        text[used++] = '\n';
    if (!goes_on)
        used += print_prefix(text + used, transcript, output, board, since_start_us);
    used += print_bytes(text + used, transcript, line->bytes + shown, line->length - shown);
    if (!line->is_unfinished)
        text[used++] = '\n';
    output->is_open = line->is_unfinished;
    put_bytes(output, text, used);
}

void transcript_add(struct transcript *transcript, const char *board, bool is_named,
                    const struct line *line, int64_t since_start_us)
{
    struct line whole = *line;
    const char *name = is_named ? board : NULL;

    /* A piece of an endless line is a line of its own among others; half a line comes again. */
    if (is_named && line->comes_again)
        return;

    if (is_named) {
        whole.is_unfinished = whole.is_continuation = false;
        whole.shown = 0;
    }
    if (transcript->terminal.queue.fd >= 0) {
        diag_status_clear();
        diag_question_leave();
        add_line_to(transcript, &transcript->terminal, name, &whole, since_start_us);
        diag_question_repeat();
    }
    add_line_to(transcript, &transcript->file, name, &whole, since_start_us);
}

bool transcript_has_room(const struct transcript *transcript)
{
    return write_queue_has_room(&transcript->terminal.queue) &&
           write_queue_has_room(&transcript->file.queue);
}

bool transcript_is_complete(const struct transcript *transcript, struct ota_failure *loss)
{
    const struct output *lost =
        transcript->file.is_lost ? &transcript->file : &transcript->terminal;

    if (!lost->is_lost)
        return true;
    ota_fail(loss, OTA_E_OUTPUT, "the log could not be written to %s: %s", lost->name,
             error_output_text(lost->reason));
    loss->cause = error_output_cause(lost->reason);
    return false;
}

bool transcript_is_read(const struct transcript *transcript)
{
    return !transcript->terminal.is_closed;
}

static void end_output(struct output *output)
{
    if (output->is_open)
        put_bytes(output, "\n", 1);
    output->is_open = false;
    judge_write(output, write_queue_end(&output->queue));
}

void transcript_end(struct transcript *transcript)
{
    struct output *file = &transcript->file;

    end_output(&transcript->terminal);
    end_output(file);
    if (file->queue.fd >= 0 && close(file->queue.fd) < 0 && !file->is_lost) {
        file->is_lost = true;
        file->reason = errno;
    }
    transcript->terminal.queue.fd = file->queue.fd = -1;
}

void transcript_free(struct transcript *transcript)
{
    if (!transcript)
        return;
    transcript_end(transcript);
    free(transcript);
}
