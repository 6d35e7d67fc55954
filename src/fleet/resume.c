/*
 * resume.c: reads the report of an earlier run, line by line, and keeps the confirmed image of each
 * board. In doubt a board counts as not confirmed, as another update does no harm.
 *
 * Events are those of report_json.c. Read are "result", and "skipped" with the code "confirmed": by
 * the latter, a resumed run hands on the results of the run before.
 */
#include "fleet/resume.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/json_memory.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "upload/endpoints.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SHOWN = 256, KEY_MAX = 16, IMAGE_MAX = DIGEST_SHA256_HEX + 16 };

/* Every line of a report begins like this. */
static const char line_start[] = "{\"event\":";

struct resume {
    /* board -> port in decimal, or "0" -> "image" and, if known, "address" and "addresses"; null:
     * not confirmed */
    json_t *boards;
    bool is_report; /* a line is about a board, or about the end of a run */
};

/* Where we are, for messages. */
struct place {
    const char *name; /* escaped */
    size_t number;    /* of the line, from 1 */
    struct ota_failure *failure;
};

static enum ota_error reject_report(const struct place *place, const char *why)
{
    return ota_fail(place->failure, OTA_E_USAGE,
                    "%s, line %zu %s; --resume takes what an earlier run with --json has printed",
                    place->name, place->number, why);
}

/* -- what the events say -- */

/* The names under which an image and a port are kept. */
static const char *image_key(char key[IMAGE_MAX], const char *sha256, const char *command)
{
    snprintf(key, IMAGE_MAX, "%s %s", command, sha256);
    return key;
}

static const char *port_key(char key[KEY_MAX], json_int_t port)
{
    snprintf(key, KEY_MAX, "%u", (unsigned)port);
    return key;
}

/* Whether the event names an image. */
static bool find_resumed_image(char key[IMAGE_MAX], const json_t *event)
{
    const char *sha256 = json_string_value(json_object_get(event, "sha256"));
    const char *command = json_string_value(json_object_get(event, "command"));
    if (!sha256 || strlen(sha256) != DIGEST_SHA256_HEX || !command ||
        (strcmp(command, "sketch") != 0 && strcmp(command, "filesystem") != 0))
        return false;
    image_key(key, sha256, command);
    return true;
}

/* Port 0: the event has none. */
static json_int_t port_of(const json_t *event)
{
    json_int_t port = json_integer_value(json_object_get(event, "port"));
    return port > 0 && port <= UINT16_MAX ? port : 0;
}

/* Returns the first texts of the list, and nothing else that it may have. NULL: out of memory. */
static json_t *copy_addresses(const json_t *list)
{
    json_t *copy = json_array();

    for (size_t i = 0; i < json_array_size(list) && i < ENDPOINTS_ADDRESSES_MAX; i++) {
        json_t *text = json_array_get(list, i);

        if (json_is_string(text))
            json_array_append(copy, text);
    }
    return copy;
}

/* image is NULL where the board has not confirmed. Only earlier results for other ports are kept: a
 * failure without a port may be about any of them, and a known port replaces an unknown one.
 * Returns false when memory ran out. */
static bool record(struct resume *resume, const char *board, const char *image, const json_t *event)
{
    const char *address = json_string_value(json_object_get(event, "address"));
    const json_int_t port = port_of(event);
    char key[KEY_MAX];
    json_t *ports = json_object_get(resume->boards, board);
    if (!ports) {
        ports = json_object();
        if (json_object_set_new(resume->boards, board, ports) != 0)
            return false;
    }

    if (port == 0 && !image)
        json_object_clear(ports);
    else if (port != 0)
        json_object_del(ports, port_key(key, 0));
    return json_object_set_new(
               ports, port_key(key, port),
               image ? json_pack("{s:s, s:s?, s:o}", "image", image, "address", address,
                                 "addresses", copy_addresses(json_object_get(event, "addresses")))
                     : json_null()) == 0;
}

static enum ota_error take_outcome(struct resume *resume, const json_t *event, bool is_confirmed,
                                   const struct place *place)
{
    char image[IMAGE_MAX];
    const json_t *board = json_object_get(event, "board");

    /* A run that ended before it reached any board. */
    if (!is_confirmed && json_is_null(board))
        return OTA_OK;
    if (!json_is_string(board))
        return reject_report(place, "does not say which board it is about");
    if (is_confirmed && !find_resumed_image(image, event))
        return reject_report(place, "does not say which image was confirmed");

    return record(resume, json_string_value(board), is_confirmed ? image : NULL, event)
               ? OTA_OK
               : ota_fail_no_memory(place->failure);
}

static enum ota_error take_event(struct resume *resume, const json_t *event,
                                 const struct place *place)
{
    const char *type = json_string_value(json_object_get(event, "event"));
    const char *code = json_string_value(json_object_get(event, "code"));

    if (!type)
        return reject_report(place, "is not an event");

    /* A run that was cut short may have no result yet. */
    if (strcmp(type, "start") == 0 || strcmp(type, "result") == 0 || strcmp(type, "skipped") == 0)
        resume->is_report = true;
    if (strcmp(type, "result") == 0)
        return take_outcome(resume, event, json_is_true(json_object_get(event, "ok")), place);
    if (strcmp(type, "skipped") == 0 && code && strcmp(code, "confirmed") == 0)
        return take_outcome(resume, event, true, place);
    return OTA_OK;
}

/* -- lines -- */

/* Returns the length, 0 at the end of the stream. A longer line comes in pieces. */
static size_t read_report_line(FILE *stream, char line[RESUME_LINE_MAX])
{
    size_t length = 0;

    while (length < RESUME_LINE_MAX) {
        int c = getc(stream);
        if (c == EOF)
            break;
        line[length++] = (char)c;
        if (c == '\n')
            break;
    }
    return length;
}

static bool is_cut_short(const char *line, size_t length)
{
    size_t common = length < strlen(line_start) ? length : strlen(line_start);
    return (length == 0 || line[length - 1] != '\n') && memcmp(line, line_start, common) == 0;
}

static enum ota_error take_line(struct resume *resume, const char *line, size_t length,
                                const struct place *place)
{
    json_error_t error;
    if (length == RESUME_LINE_MAX && line[length - 1] != '\n') {
        char too_long[32];

        snprintf(too_long, sizeof too_long, "is longer than %d KiB", RESUME_LINE_MAX / KIB);
        return reject_report(place, too_long);
    }
    json_memory_watch();
    json_t *event = json_memory_load(line, length, 0, &error);
    const bool ran_out = json_memory_has_run_out(); /* whatever jansson has made of it */
    if (!event && !ran_out)
        return is_cut_short(line, length) ? OTA_OK : reject_report(place, "is not JSON");

    enum ota_error result =
        ran_out ? ota_fail_no_memory(place->failure) : take_event(resume, event, place);
    json_decref(event);
    return result;
}

static enum ota_error read_report(struct resume *resume, FILE *stream, char *line,
                                  struct place *place)
{
    size_t length, size = 0;

    while ((length = read_report_line(stream, line)) > 0) {
        place->number++;
        size += length;
        if (size > RESUME_SIZE_MAX)
            return ota_fail(place->failure, OTA_E_USAGE,
                            "%s is longer than %d GiB, too long for a report", place->name,
                            RESUME_SIZE_MAX / GIB);
        size_t mark = place->number == 1 ? utf8_mark(line, length) : 0;
        if (take_line(resume, line + mark, length - mark, place) != OTA_OK)
            return place->failure->error;
    }
    if (ferror(stream))
        return ota_fail_errno(place->failure, OTA_E_USAGE, errno, "cannot read the report %s: %s",
                              place->name, input_error(errno));
    if (size == 0)
        return ota_fail(
            place->failure, OTA_E_USAGE,
            "%s is empty, perhaps because this run writes to it; --resume takes what an "
            "earlier run with --json has printed",
            place->name);
    if (!resume->is_report)
        return ota_fail(
            place->failure, OTA_E_USAGE,
            "%s has no events of boards; --resume takes what an earlier run with --json has "
            "printed",
            place->name);
    return OTA_OK;
}

enum ota_error resume_read(struct resume **resume, FILE *stream, const char *name,
                           struct ota_failure *failure)
{
    char shown[NAME_SHOWN];
    struct place place = {escape_string(shown, sizeof shown, name), 0, failure};
    char *line = malloc(RESUME_LINE_MAX);

    *resume = calloc(1, sizeof **resume);
    if (*resume)
        (*resume)->boards = json_object();
    enum ota_error error = line && *resume && (*resume)->boards
                               ? read_report(*resume, stream, line, &place)
                               : ota_fail_no_memory(failure);
    free(line);
    if (error != OTA_OK) {
        resume_free(*resume);
        *resume = NULL;
    }
    return error;
}

static ssize_t read_stream(void *cookie, char *buffer, size_t size)
{
    return input_read(*(int *)cookie, buffer, size);
}

static int close_stream(void *cookie)
{
    int result = close(*(int *)cookie);
    free(cookie);
    return result;
}

/* NULL and errno when there is none. */
static FILE *open_stream(const char *path)
{
    const cookie_io_functions_t functions = {.read = read_stream, .close = close_stream};
    int *descriptor = malloc(sizeof *descriptor);
    if (!descriptor)
        return NULL; /* ENOMEM */

    *descriptor = input_open(path);
    FILE *stream = *descriptor >= 0 ? fopencookie(descriptor, "r", functions) : NULL;
    if (!stream) {
        int error = errno;
        if (*descriptor >= 0)
            close(*descriptor);
        free(descriptor);
        errno = error;
    }
    return stream;
}

enum ota_error resume_load(struct resume **resume, const char *path, struct ota_failure *failure)
{
    *resume = NULL;
    FILE *stream = open_stream(path);
    if (!stream) {
        char shown[NAME_SHOWN];
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot open the report %s: %s",
                              escape_string(shown, sizeof shown, path),
                              input_open_error(path, errno));
    }
    enum ota_error error = resume_read(resume, stream, path, failure);
    fclose(stream);
    return error;
}

/* -- questions -- */

static bool is_image(const json_t *outcome, const char *image)
{
    const char *confirmed = json_string_value(json_object_get(outcome, "image"));

    return confirmed && strcmp(confirmed, image) == 0;
}

bool resume_is_confirmed(const struct resume *resume, const char *board, uint16_t port,
                         const char *sha256, enum ota_command command)
{
    char key[KEY_MAX], image[IMAGE_MAX];
    json_t *ports = json_object_get(resume->boards, board);

    image_key(image, sha256, command == OTA_COMMAND_SKETCH ? "sketch" : "filesystem");
    if (port != 0)
        return is_image(json_object_get(ports, port_key(key, port)), image);
    for (void *at = json_object_iter(ports); at; at = json_object_iter_next(ports, at)) {
        if (!is_image(json_object_iter_value(at), image))
            return false;
    }
    return json_object_size(ports) > 0;
}

uint16_t resume_port(const struct resume *resume, const char *board)
{
    json_t *ports = json_object_get(resume->boards, board);
    uint16_t found = 0;

    for (void *at = json_object_iter(ports); at; at = json_object_iter_next(ports, at)) {
        const uint16_t port = (uint16_t)strtoul(json_object_iter_key(at), NULL, 10);
        if (port && found)
            return 0;
        if (port)
            found = port;
    }
    return found;
}

bool resume_address(struct address *address, const struct resume *resume, const char *board)
{
    json_t *ports = json_object_get(resume->boards, board);
    struct address found = {.any.sa_family = AF_UNSPEC}, other;

    for (void *at = json_object_iter(ports); at; at = json_object_iter_next(ports, at)) {
        const char *text =
            json_string_value(json_object_get(json_object_iter_value(at), "address"));

        if (!text || !address_parse(&other, text))
            continue;
        if (found.any.sa_family != AF_UNSPEC && !address_equal(&found, &other))
            return false;
        found = other;
    }
    *address = found;
    return found.any.sa_family != AF_UNSPEC;
}

/* Text that is no address, or is there already, is left out. */
static size_t add_address(struct address addresses[], size_t count, size_t max, const json_t *value)
{
    const char *text = json_string_value(value);

    if (count == max || !text || !address_parse(&addresses[count], text))
        return count;
    return count + !address_is_among(addresses, count, &addresses[count]);
}

size_t resume_addresses(struct address addresses[], size_t max, const struct resume *resume,
                        const char *board)
{
    json_t *ports = json_object_get(resume->boards, board);
    size_t count = 0;

    for (void *at = json_object_iter(ports); at; at = json_object_iter_next(ports, at)) {
        const json_t *outcome = json_object_iter_value(at);
        const json_t *list = json_object_get(outcome, "addresses");

        count = add_address(addresses, count, max, json_object_get(outcome, "address"));
        for (size_t i = 0; i < json_array_size(list); i++)
            count = add_address(addresses, count, max, json_array_get(list, i));
    }
    return count;
}

void resume_free(struct resume *resume)
{
    if (resume)
        json_decref(resume->boards);
    free(resume);
}
