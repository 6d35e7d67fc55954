/*
 * metrics.c: see metrics.h. What is kept of a series is its line behind the labels that name the
 * board and the kind of image, so that reading and writing leave it as it is.
 */
#include "output/metrics.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/file_replace.h"
#include "base/input.h"
#include "base/json_memory.h"
#include "base/text.h"
#include "base/text_stream.h"
#include "image/image.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_SHOWN = 256,
    BOARD_MAX = 2048,
    KEY_MAX = 2 * BOARD_MAX,
    REST_MAX = 256,
    LABELS_MAX = 2
};

static const char PREFIX[] = "esp_ota_board_";

enum series {
    LAST_UPLOAD,
    LAST_SUCCESS,
    EXIT_STATUS,
    DURATION,
    BYTES,
    RESULT_INFO,
    IMAGE_INFO,
    SERIES_COUNT
};

/* In the order of the file. */
static const struct row {
    const char *name;
    const char *help;
    const char *labels[LABELS_MAX + 1]; /* behind those of the board and the kind of image */
} rows[SERIES_COUNT] = {
    [LAST_UPLOAD] = {"last_upload_timestamp_seconds",
                     "When the last upload ended, however it did.",
                     {NULL}},
    [LAST_SUCCESS] = {"last_success_timestamp_seconds",
                      "When the last successful upload ended.",
                      {NULL}},
    [EXIT_STATUS] = {"last_upload_exit_status",
                     "The exit status of the last upload, as in esp-ota(1); 0 is success.",
                     {NULL}},
    [DURATION] = {"last_upload_duration_seconds", "How long the last upload took.", {NULL}},
    [BYTES] = {"last_upload_received_bytes",
               "What the board has acknowledged of the last upload.",
               {NULL}},
    [RESULT_INFO] = {"last_upload_info",
                     "The code of the last upload, as in esp-ota-json(7), and its protocol.",
                     {"code", "protocol", NULL}},
    [IMAGE_INFO] = {"image_info",
                    "The image of the last successful upload.",
                    {"sha256", "md5", NULL}},
};

struct metrics {
    const char *path;
    json_t *boards;   /* the labels that name the series -> row.name -> the rest of the line */
    json_t *results;  /* the same, of this run */
    bool has_run_out; /* of memory: a result is missing */
};

struct metrics *metrics_new(const char *path)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);

    if (!metrics)
        return NULL;
    metrics->path = path;
    metrics->boards = json_object();
    metrics->results = json_object();
    if (metrics->boards && metrics->results)
        return metrics;
    metrics_free(metrics);
    return NULL;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    json_decref(metrics->boards);
    json_decref(metrics->results);
    free(metrics);
}

/* -- one series -- */

/* Returns false when memory ran out. */
static bool set_series(json_t *boards, const char *key, enum series series, const char *rest)
{
    json_t *board = json_object_get(boards, key);

    if (!board) {
        board = json_object();
        if (json_object_set_new(boards, key, board) != 0)
            return false;
    }
    return json_object_set_new(board, rows[series].name, json_string(rest)) == 0;
}

/* Appends name="value", where backslashes and quotes of the value are escaped. Names are printable,
 * so there is no line end. */
static void append_label(char *text, size_t capacity, const char *name, const char *value)
{
    text_append(text, capacity, "%s=\"", name);
    for (; *value; value++)
        text_append(text, capacity, *value == '\\' || *value == '"' ? "\\%c" : "%c", *value);
    text_append(text, capacity, "\"");
}

/* -- parsing -- */

/* Skips name="value", and fails if it is not there. In the value, a backslash has to stand before
 * a backslash, a quote or an n. */
static bool skip_label(const char **at, const char *name)
{
    const size_t length = strlen(name);
    const char *next = *at;

    if (strncmp(next, name, length) != 0 || strncmp(next + length, "=\"", 2) != 0)
        return false;
    for (next += length + 2; *next != '"'; next++) {
        if (*next == '\\' && !strchr("\\\"n", *++next))
            return false;
        if (!*next)
            return false;
    }
    *at = next + 1;
    return true;
}

static bool skip_text(const char **at, const char *text)
{
    const size_t length = strlen(text);

    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

/* A decimal number of this program: digits, perhaps with a point and more digits. */
static bool is_number(const char *text)
{
    static const char digits[] = "0123456789";
    const size_t whole = strspn(text, digits);
    const char *point = text + whole;
    const size_t fraction = *point == '.' ? strspn(point + 1, digits) : 0;

    return whole > 0 && (*point == '\0' || (fraction > 0 && point[1 + fraction] == '\0'));
}

static const struct row *find_row(const char *name, size_t length)
{
    for (size_t i = 0; i < SERIES_COUNT; i++)
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
            return &rows[i];
    return NULL;
}

/* The labels that name the series, and what follows them; NULL if the line is none of ours. */
static const struct row *split_line(const char *line, const char **key, const char **rest)
{
    if (!skip_text(&line, PREFIX))
        return NULL;
    const size_t length = strcspn(line, "{");
    const struct row *row = line[length] ? find_row(line, length) : NULL;

    if (!row)
        return NULL;
    *key = line + length + 1;
    const char *at = *key;
    if (!skip_label(&at, "board") || !skip_text(&at, ",") || !skip_label(&at, "image"))
        return NULL;
    *rest = at;
    for (size_t i = 0; row->labels[i]; i++)
        if (!skip_text(&at, ",") || !skip_label(&at, row->labels[i]))
            return NULL;
    return skip_text(&at, "} ") && is_number(at) ? row : NULL;
}

static enum ota_error reject_file(const struct metrics *metrics, size_t number,
                                  struct ota_failure *failure)
{
    char shown[PATH_SHOWN];

    return ota_fail(failure, OTA_E_USAGE,
                    "%s, line %zu was not written by --metrics, so the file is left as it is; "
                    "give --metrics a file of its own",
                    escape_string(shown, sizeof shown, metrics->path), number);
}

/* Whether the line describes a series of ours; its text may be another version's. */
static bool is_description(const char *line)
{
    if ((!skip_text(&line, "# HELP ") && !skip_text(&line, "# TYPE ")) || !skip_text(&line, PREFIX))
        return false;
    return find_row(line, strcspn(line, " ")) != NULL;
}

static enum ota_error parse_line(struct metrics *metrics, const char *line, size_t number,
                                 struct ota_failure *failure)
{
    const char *labels, *rest;

    if (is_description(line))
        return OTA_OK;
    const struct row *row = escape_is_printable(line) ? split_line(line, &labels, &rest) : NULL;
    if (!row || rest - labels >= KEY_MAX || strlen(rest) >= REST_MAX)
        return reject_file(metrics, number, failure);

    char key[KEY_MAX];
    memcpy(key, labels, (size_t)(rest - labels));
    key[rest - labels] = '\0';
    return set_series(metrics->boards, key, (enum series)(row - rows), rest)
               ? OTA_OK
               : ota_fail_no_memory(failure);
}

enum ota_error metrics_parse(struct metrics *metrics, const char *text, size_t length,
                             struct ota_failure *failure)
{
    const char *end = text + length;
    size_t number = 1;

    for (const char *next; text < end; text = next, number++) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (!line_end || memchr(text, '\0', (size_t)(line_end - text)))
            return reject_file(metrics, number, failure);

        char *line = strndup(text, (size_t)(line_end - text));
        if (!line)
            return ota_fail_no_memory(failure);
        enum ota_error error = parse_line(metrics, line, number, failure);
        free(line);
        if (error != OTA_OK)
            return error;
        next = line_end + 1;
    }
    return OTA_OK;
}

/* -- the file -- */

/* Anything but a regular file is not to be replaced. */
static enum ota_error check_file(const char *path, bool *is_there, struct ota_failure *failure)
{
    struct stat found;

    *is_there = stat(path, &found) == 0;
    if (!*is_there)
        return errno == ENOENT ? OTA_OK : file_replace_failed(path, errno, NULL, failure);
    if (!S_ISREG(found.st_mode))
        return file_replace_failed(
            path, 0, S_ISDIR(found.st_mode) ? "it is a directory" : "it is not a regular file",
            failure);
    if (!file_replace_is_possible(path))
        return file_replace_failed(path, EBUSY, NULL, failure);
    return OTA_OK;
}

/* Returns the contents, with a NUL behind them; NULL and failure. */
static char *read_file(const char *path, size_t *length, struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    struct stat found;
    int descriptor = input_open(path);
    bool is_known = descriptor >= 0 && fstat(descriptor, &found) == 0;
    size_t capacity = is_known && found.st_size < METRICS_SIZE_MAX ? (size_t)found.st_size : 0;
    char *text = malloc(capacity + 2);
    /* One byte more than it should have: it may have grown. */
    ssize_t count = is_known && text ? input_read_all(descriptor, text, capacity + 1) : -1;
    const int reason = errno;

    if (descriptor >= 0)
        close(descriptor);
    if (count >= 0 && (size_t)count <= capacity) {
        text[count] = '\0';
        *length = (size_t)count;
        return text;
    }
    free(text);
    escape_string(shown, sizeof shown, path);
    if (count >= 0)
        ota_fail(failure, OTA_E_USAGE, "%s is too long for a file of --metrics, or changes", shown);
    else
        ota_fail_errno(failure, OTA_E_USAGE, reason, "cannot read %s: %s", shown,
                       input_open_error(path, reason));
    return NULL;
}

/* Without a file there is nothing to read. */
static enum ota_error read_back(struct metrics *metrics, struct ota_failure *failure)
{
    size_t length;
    bool is_there;

    if (check_file(metrics->path, &is_there, failure) != OTA_OK)
        return failure->error;
    if (!is_there)
        return OTA_OK;
    char *text = read_file(metrics->path, &length, failure);
    if (!text)
        return failure->error;
    enum ota_error error = metrics_parse(metrics, text, length, failure);

    free(text);
    return error;
}

enum ota_error metrics_open(struct metrics **metrics, const char *path, struct ota_failure *failure)
{
    json_memory_watch();
    *metrics = metrics_new(path);
    if (!*metrics)
        return ota_fail_no_memory(failure);
    enum ota_error error = read_back(*metrics, failure);

    const int reason = error == OTA_OK ? file_replace_try(path) : 0;

    if (reason != 0)
        error = file_replace_failed(path, reason, NULL, failure);
    if (error != OTA_OK) {
        metrics_free(*metrics);
        *metrics = NULL;
    }
    return error;
}

/* -- results -- */

/* BOARD, or as it is typed with a port: BOARD:PORT, [ADDRESS]:PORT. */
static void name_board(char board[BOARD_MAX], const struct ota_event *event)
{
    const char *name = event->target ? event->target : event->board;
    bool is_v6 = strchr(name, ':') != NULL;

    if (event->target_port)
        snprintf(board, BOARD_MAX, is_v6 ? "[%s]:%u" : "%s:%u", name, event->target_port);
    else
        snprintf(board, BOARD_MAX, "%s", name);
}

static bool set_number(json_t *results, const char *key, enum series series, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));

static bool set_number(json_t *results, const char *key, enum series series, const char *format,
                       ...)
{
    char number[REST_MAX - sizeof "} "], rest[REST_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(number, sizeof number, format, arguments);
    va_end(arguments);
    snprintf(rest, sizeof rest, "} %s", number);
    return set_series(results, key, series, rest);
}

static bool set_info(json_t *results, const char *key, enum series series, const char *first,
                     const char *second)
{
    char rest[REST_MAX] = ",";

    append_label(rest, sizeof rest, rows[series].labels[0], first);
    text_append(rest, sizeof rest, ",");
    append_label(rest, sizeof rest, rows[series].labels[1], second);
    return text_append(rest, sizeof rest, "} 1") && set_series(results, key, series, rest);
}

static bool add_result(json_t *results, const char *key, const struct ota_event *event,
                       intmax_t now)
{
    bool is_success = event->failure->error == OTA_OK;
    int64_t ms = event->elapsed_us / 1000;

    return set_number(results, key, LAST_UPLOAD, "%jd", now) &&
           set_number(results, key, EXIT_STATUS, "%d", event->exit_status) &&
           set_number(results, key, DURATION, "%.3f", (double)ms / 1000.0) &&
           set_number(results, key, BYTES, "%zu", event->bytes) &&
           set_info(results, key, RESULT_INFO, ota_error_name(event->failure->error),
                    event->protocol) &&
           (!is_success ||
            (set_number(results, key, LAST_SUCCESS, "%jd", now) &&
             set_info(results, key, IMAGE_INFO, event->image->sha256, event->image->md5)));
}

void metrics_add(struct metrics *metrics, const struct ota_event *event, enum ota_command command,
                 time_t now)
{
    char key[KEY_MAX] = "", board[BOARD_MAX];

    if (event->type != OTA_EVENT_RESULT || !event->image ||
        (event->failure->error == OTA_E_INTERRUPTED && event->bytes == 0))
        return;
    name_board(board, event);
    append_label(key, sizeof key, "board", board);
    text_append(key, sizeof key, ",");
    append_label(key, sizeof key, "image", command == OTA_COMMAND_SKETCH ? "sketch" : "filesystem");
    if (!add_result(metrics->results, key, event, now))
        metrics->has_run_out = true;
}

/* -- writing -- */

static void print_series(FILE *stream, const struct row *row, json_t *boards)
{
    const char *key;
    json_t *board;
    bool is_first = true;

    json_object_foreach(boards, key, board)
    {
        const char *rest = json_string_value(json_object_get(board, row->name));

        if (rest && is_first)
            fprintf(stream, "# HELP %s%s %s\n# TYPE %s%s gauge\n", PREFIX, row->name, row->help,
                    PREFIX, row->name);
        if (rest)
            fprintf(stream, "%s%s{%s%s\n", PREFIX, row->name, key, rest);
        is_first = is_first && !rest;
    }
}

char *metrics_text(const struct metrics *metrics, size_t *length)
{
    struct text_stream text;

    if (!text_stream_open(&text))
        return NULL;
    for (size_t i = 0; i < SERIES_COUNT; i++)
        print_series(text.file, &rows[i], metrics->boards);
    text_stream_close(&text);
    *length = text.size;
    return text.bytes;
}

/* Results replace what is known, series by series: a failure leaves the last success. */
static bool merge_results(struct metrics *metrics)
{
    const char *key;
    json_t *result;

    json_object_foreach(metrics->results, key, result)
    {
        json_t *board = json_object_get(metrics->boards, key);
        if ((board ? json_object_update(board, result)
                   : json_object_set(metrics->boards, key, result)) != 0)
            return false;
    }
    return true;
}

enum ota_error metrics_write(struct metrics *metrics, struct ota_failure *failure)
{
    size_t length;

    if (metrics->has_run_out)
        return ota_fail_no_memory(failure);
    if (json_object_size(metrics->results) == 0)
        return OTA_OK;
    json_object_clear(metrics->boards);
    if (read_back(metrics, failure) != OTA_OK) {
        if (failure->error == OTA_E_USAGE) { /* it was good when metrics_open() looked */
            failure->error = OTA_E_OUTPUT;
            failure->cause = OTA_CAUSE_NOT_A_FILE;
        }
        return failure->error;
    }
    char *text = merge_results(metrics) ? metrics_text(metrics, &length) : NULL;
    if (!text)
        return ota_fail_no_memory(failure);
    int reason = file_replace(metrics->path, text, length);

    free(text);
    return reason == 0 ? OTA_OK : file_replace_failed(metrics->path, reason, NULL, failure);
}
