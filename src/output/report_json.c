/*
 * report_json.c: writes events as JSON lines, with jansson. esp-ota-json(7) documents them: adding
 * a field is compatible; renaming or removing one is not.
 */
#include "output/report_json.h"

#include "base/escape.h"
#include "base/json_memory.h"
#include "boardlog/line_splitter.h"
#include "image/image.h"
#include "upload/protocols.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static double seconds(int64_t us)
{
    int64_t ms = us / 1000; /* more digits would be noise */
    return (double)ms / 1000.0;
}

static json_t *string_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* Writes a line with these fields, and frees them. If memory has run out since
 * json_memory_watch(), fields may be missing, so nothing is written. */
static bool write_json_line(FILE *stream, const char *name, const char *board,
                            int64_t since_start_us, json_t *fields)
{
    json_t *line = json_object();
    int rc = json_object_set_new(line, "event", json_string(name));

    rc |= json_object_set_new(line, "time", json_real(seconds(since_start_us)));
    rc |= json_object_set_new(line, "board", string_or_null(board));
    rc |= json_object_update(line, fields);

    char *text = rc == 0 ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    bool is_whole = text && !json_memory_has_run_out();
    bool written = is_whole && fprintf(stream, "%s\n", text) > 0;

    free(text);
    json_decref(line);
    json_decref(fields);
    return written;
}

static const char *command_name(enum ota_command command)
{
    return command == OTA_COMMAND_SKETCH ? "sketch" : "filesystem";
}

static json_t *start_fields(const struct ota_event *event, enum ota_command command)
{
    char path[1024];
    const struct image *image = event->image;

    if (!image) /* nothing is sent: only the log is followed */
        return json_pack("{s:s, s:n}", "version", ESP_OTA_VERSION, "file");

    escape_string(path, sizeof path, image->path);
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s}", "version", ESP_OTA_VERSION,
                     "command", command_name(command), "file", path, "size",
                     (json_int_t)event->total, "original_size", (json_int_t)image->file_size, "md5",
                     image->md5, "sha256", image->sha256, "protocol", event->protocol);
}

static json_t *resolved_fields(const struct ota_event *event)
{
    return json_pack("{s:s, s:i, s:s}", "address", event->address, "port", (int)event->port,
                     "source", event->source);
}

static json_t *progress_fields(const struct ota_event *event)
{
    return json_pack("{s:I, s:I}", "bytes", (json_int_t)event->bytes, "total",
                     (json_int_t)event->total);
}

static json_t *failure_fields(const struct ota_failure *failure, int exit_status)
{
    bool ok = failure->error == OTA_OK;

    return json_pack("{s:b, s:i, s:s, s:s}", "ok", ok, "exit_status", exit_status, "code",
                     ota_error_name(failure->error), "message",
                     *failure->message ? failure->message : ota_error_text(failure->error));
}

static json_t *address_list(const struct ota_event *event)
{
    char text[ADDRESS_TEXT_MAX];
    json_t *list = event->address_count ? json_array() : json_null();

    for (size_t i = 0; i < event->address_count; i++)
        json_array_append_new(list, json_string(address_text(text, &event->addresses[i])));
    return list;
}

/* Adds the fields from which --resume recognizes a confirmed board. */
static void add_image_fields(json_t *fields, const struct ota_event *event,
                             enum ota_command command)
{
    json_object_set_new(fields, "address", string_or_null(event->address));
    json_object_set_new(fields, "addresses", address_list(event));
    json_object_set_new(fields, "port", event->port ? json_integer(event->port) : json_null());
    json_object_set_new(fields, "command",
                        string_or_null(event->image ? command_name(command) : NULL));
    json_object_set_new(fields, "sha256",
                        event->image ? json_string(event->image->sha256) : json_null());
    json_object_set_new(fields, "protocol", string_or_null(event->protocol));
}

/* Names the evidence of a success: the board's word, or a proof by --expect or --online. */
static const char *evidence_name(const struct ota_event *event)
{
    bool is_proven = event->failure->error == OTA_OK && event->image && event->is_verdict_lost;

    return is_proven ? "proof" : event->verified;
}

static json_t *result_fields(const struct ota_event *event, enum ota_command command)
{
    json_t *fields = failure_fields(event->failure, event->exit_status);

    if (!event->image && event->failure->error == OTA_OK && !*event->failure->message)
        json_object_set_new(fields, "message",
                            json_string("nothing was sent; the log was followed"));

    json_object_set_new(fields, "verified", string_or_null(evidence_name(event)));
    json_object_set_new(fields, "phase", json_string(ota_phase_name(event->phase)));
    add_image_fields(fields, event, command);
    json_object_set_new(fields, "bytes", json_integer((json_int_t)event->bytes));
    json_object_set_new(fields, "total", json_integer((json_int_t)event->total));
    json_object_set_new(fields, "original_size",
                        event->image ? json_integer((json_int_t)event->image->file_size)
                                     : json_null());
    json_object_set_new(fields, "seconds", json_real(seconds(event->elapsed_us)));
    json_object_set_new(fields, "transfer_seconds", json_real(seconds(event->transfer_us)));
    return fields;
}

static const char *skip_name(enum ota_skip skip)
{
    static const char *const names[] = {
        [OTA_SKIP_UNTRIED] = "untried",     [OTA_SKIP_DUPLICATE] = "duplicate",
        [OTA_SKIP_CONFIRMED] = "confirmed", [OTA_SKIP_INSTALLED] = "confirmed",
        [OTA_SKIP_DRY_RUN] = "dry-run",
    };
    return names[skip];
}

static json_t *skipped_fields(const struct ota_event *event, enum ota_command command)
{
    json_t *fields =
        json_pack("{s:s, s:s}", "code", skip_name(event->skip), "message", event->message);
    add_image_fields(fields, event, command);
    return fields;
}

/* An unfinished line is reported again once it is complete. */
static json_t *log_fields(const struct line *line)
{
    char text[6 * LINE_SPLITTER_MAX + 1];

    escape_line(text, sizeof text, line->bytes, line->length);
    return json_pack("{s:s, s:b, s:b}", "line", text, "complete", !line->is_unfinished, "continued",
                     line->is_continuation);
}

static json_t *event_fields(const struct ota_event *event, enum ota_command command)
{
    switch (event->type) {
    case OTA_EVENT_START:
        return start_fields(event, command);
    case OTA_EVENT_RESOLVED:
        return resolved_fields(event);
    case OTA_EVENT_INVITED:
        return json_pack("{s:i, s:s, s:i}", "attempt", (int)event->attempt, "address",
                         event->address, "port", (int)event->port);
    case OTA_EVENT_AUTHENTICATED:
        return json_pack("{s:s, s:s}", "scheme", event->scheme, "evidence", event->evidence);
    case OTA_EVENT_PROGRESS:
        return progress_fields(event);
    case OTA_EVENT_NOTE:
        return json_pack("{s:s, s:s?, s:s?}", "message", event->message, "scheme", event->scheme,
                         "password", event->password);
    case OTA_EVENT_RESULT:
        return result_fields(event, command);
    case OTA_EVENT_LOG:
        return log_fields(event->line);
    case OTA_EVENT_SKIPPED:
        return skipped_fields(event, command);
    case OTA_EVENT_CONNECTED:
        break;
    }
    return json_object();
}

static const char *event_name(enum ota_event_type type)
{
    static const char *const names[] = {
        [OTA_EVENT_START] = "start",         [OTA_EVENT_RESOLVED] = "resolved",
        [OTA_EVENT_INVITED] = "invited",     [OTA_EVENT_AUTHENTICATED] = "authenticated",
        [OTA_EVENT_CONNECTED] = "connected", [OTA_EVENT_PROGRESS] = "progress",
        [OTA_EVENT_NOTE] = "note",           [OTA_EVENT_RESULT] = "result",
        [OTA_EVENT_SKIPPED] = "skipped",     [OTA_EVENT_LOG] = "log",
    };
    return names[type];
}

bool report_json_event(FILE *stream, const struct ota_event *event, enum ota_command command,
                       int64_t since_start_us)
{
    json_memory_watch();

    json_t *fields = event_fields(event, command);
    const bool has_name = event->target && strcmp(event->target, event->board) != 0;
    if (has_name)
        json_object_set_new(fields, "name", json_string(event->board));
    return write_json_line(stream, event_name(event->type), has_name ? event->target : event->board,
                           since_start_us, fields);
}

static json_t *flag_or_null(enum txt_record_flag flag)
{
    return flag == TXT_UNKNOWN ? json_null() : json_boolean(flag == TXT_YES);
}

static json_t *escaped_or_null(const char *text)
{
    char escaped[4 * ESPHOME_PROJECT_MAX];

    return string_or_null(*text ? escape_string(escaped, sizeof escaped, text) : NULL);
}

static json_t *esphome_fields(const struct esphome_record *esphome)
{
    json_t *fields = json_object();

    json_object_set_new(fields, "version", escaped_or_null(esphome->version));
    json_object_set_new(fields, "platform", escaped_or_null(esphome->platform));
    json_object_set_new(fields, "project", escaped_or_null(esphome->project));
    json_object_set_new(fields, "project_version", escaped_or_null(esphome->project_version));
    json_object_set_new(fields, "config_hash", escaped_or_null(esphome->config_hash));
    json_object_set_new(fields, "encrypted", json_boolean(esphome->is_encrypted));
    return fields;
}

bool report_json_board(FILE *stream, const struct board *board, int64_t since_start_us)
{
    char instance[4 * MDNS_INSTANCE_MAX + 4], host[4 * MDNS_NAME_MAX + 4];
    char type[4 * MDNS_TYPE_MAX + 4], version[4 * MDNS_VERSION_MAX + 4];
    char address[ADDRESS_TEXT_MAX];
    bool is_known = board->is_resolved;
    const char *protocol = NULL;

    escape_string(instance, sizeof instance, board->instance);
    escape_string(host, sizeof host, board->host);
    escape_string(type, sizeof type, board->type);
    escape_string(version, sizeof version, board->version);
    if (board->has_address)
        address_text(address, &board->address);
    if (is_known)
        protocol = protocols_name_for(board);

    json_memory_watch();
    json_t *fields = json_object();
    json_object_set_new(fields, "host", string_or_null(is_known ? host : NULL));
    json_object_set_new(fields, "address", string_or_null(board->has_address ? address : NULL));
    json_object_set_new(fields, "port",
                        is_known && service_tells_port(board->service) ? json_integer(board->port)
                                                                       : json_null());
    json_object_set_new(fields, "type", string_or_null(*type ? type : NULL));
    json_object_set_new(fields, "password", flag_or_null(board->password));
    json_object_set_new(fields, "protocol", string_or_null(protocol));
    json_object_set_new(fields, "ambiguous",
                        is_known ? json_boolean(board->is_ambiguous) : json_null());
    json_object_set_new(fields, "firmware_version", string_or_null(*version ? version : NULL));
    if (board->service == SERVICE_ESPHOME)
        json_object_set_new(fields, "esphome", esphome_fields(&board->esphome));
    return write_json_line(stream, "board", instance, since_start_us, fields);
}

static json_t *families_fields(const struct inspection *inspection)
{
    static const struct {
        enum inspect_family family;
        const char *name;
    } names[] = {{INSPECT_FAMILY_ESP8266, "esp8266"},
                 {INSPECT_FAMILY_ESP32, "esp32"},
                 {INSPECT_FAMILY_PICO, "pico"}};
    json_t *families = json_array();

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (inspection->families & names[i].family)
            json_array_append_new(families, json_string(names[i].name));
    return families;
}

static json_t *application_fields(const struct inspection *inspection)
{
    const struct inspect_application *application = &inspection->application;

    if (!inspection->has_application)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "project", application->project, "version",
                     application->version, "date", application->date, "time", application->time,
                     "idf", application->idf);
}

static json_t *image_esphome_fields(const struct inspect_esphome *esphome)
{
    const bool has_project = *esphome->project;

    if (!*esphome->version)
        return json_null();
    return json_pack("{s:s, s:s?, s:s?}", "version", esphome->version, "project",
                     has_project ? esphome->project : NULL, "project_version",
                     has_project ? esphome->project_version : NULL);
}

static json_t *segments_fields(const struct inspection *inspection)
{
    json_t *segments = json_array();

    for (size_t i = 0; i < inspection->segment_count; i++) {
        json_int_t address = (json_int_t)inspection->segments[i].address;
        json_int_t size = (json_int_t)inspection->segments[i].size;

        json_array_append_new(segments, json_pack("{s:I, s:I}", "address", address, "size", size));
    }
    return segments;
}

/* In an inspection, 0 is a size that the format does not record. */
static json_t *size_or_null(size_t size)
{
    return size ? json_integer((json_int_t)size) : json_null();
}

/* signature is NULL if verification was not asked for. */
static json_t *signature_fields(const struct signature *signature)
{
    if (!signature)
        return json_null();
    return json_pack(
        "{s:s, s:o, s:s}", "verdict", sign_verdict_name(signature->verdict), "hash",
        string_or_null(signature->verdict == SIGN_VALID ? sign_hash_name(signature->hash) : NULL),
        "message", signature->sentence);
}

bool report_json_check(FILE *stream, const struct report_check *check, int64_t since_start_us)
{
    static const char *const sending[] = {[INSPECT_SENDABLE] = "yes",
                                          [INSPECT_DOUBTFUL] = "doubtful",
                                          [INSPECT_SERVABLE] = "served",
                                          [INSPECT_IMPOSSIBLE] = "no"};
    const struct image *image = check->image;
    const struct inspection *inspection = &image->inspection;
    const bool is_changed = strcmp(check->file_md5, image->md5) != 0;
    char path[1024];

    escape_string(path, sizeof path, image->path);

    json_memory_watch();
    json_t *fields =
        json_pack("{s:s, s:I, s:s, s:s}", "file", path, "size", (json_int_t)image->file_size, "md5",
                  check->file_md5, "sha256", image->sha256);
    json_object_set_new(fields, "format", json_string(inspect_format_name(inspection->format)));
    json_object_set_new(fields, "name", json_string(inspection->name));
    json_object_set_new(fields, "integrity",
                        json_string(inspect_integrity_name(inspection->integrity)));
    json_object_set_new(fields, "evidence", json_string(inspection->evidence));
    json_object_set_new(fields, "sendable", json_string(sending[check->sending]));
    json_object_set_new(fields, "families", families_fields(inspection));
    json_object_set_new(fields, "verdict", json_string(check->verdict));
    json_object_set_new(fields, "chip",
                        string_or_null(*inspection->chip_name ? inspection->chip_name : NULL));
    json_object_set_new(fields, "application", application_fields(inspection));
    json_object_set_new(fields, "esphome", image_esphome_fields(&inspection->esphome));
    json_object_set_new(fields, "entry",
                        inspection->has_entry ? json_integer(inspection->entry) : json_null());
    json_object_set_new(fields, "segments", segments_fields(inspection));
    json_object_set_new(fields, "flash_size", size_or_null(inspection->flash_size));
    json_object_set_new(fields, "unpacked_size", size_or_null(inspection->unpacked_size));
    json_object_set_new(fields, "trailer_size", size_or_null(inspection->trailer_size));
    json_object_set_new(fields, "signature", signature_fields(check->signature));
    json_object_set_new(fields, "sent_size", size_or_null(is_changed ? image->size : 0));
    json_object_set_new(fields, "sent_md5", string_or_null(is_changed ? image->md5 : NULL));
    return write_json_line(stream, "check", NULL, since_start_us, fields);
}

bool report_json_written(FILE *stream, const struct image *image, const char *path,
                         int64_t since_start_us)
{
    char shown[1024], file[1024];

    escape_string(shown, sizeof shown, path);
    escape_string(file, sizeof file, image->path);

    json_memory_watch();
    json_t *fields = json_pack("{s:s, s:I, s:s, s:s, s:I, s:s, s:s}", "output", shown, "size",
                               (json_int_t)image->size, "md5", image->md5, "file", file,
                               "original_size", (json_int_t)image->file_size, "sha256",
                               image->sha256, "command", command_name(image->command));
    return write_json_line(stream, "written", NULL, since_start_us, fields);
}

bool report_json_setting(FILE *stream, const struct report_setting *setting, int64_t since_start_us)
{
    json_memory_watch();
    json_t *fields =
        json_pack("{s:s?, s:s, s:s, s:s?, s:o}", "section", setting->section, "name", setting->name,
                  "value", setting->value, "file", setting->file, "line",
                  setting->file ? json_integer((json_int_t)setting->line) : json_null());
    return write_json_line(stream, "setting", NULL, since_start_us, fields);
}

bool report_json_serving(FILE *stream, const struct strings *urls, uint16_t port,
                         int64_t since_start_us)
{
    json_memory_watch();
    json_t *fields =
        json_pack("{s:s, s:i, s:[]}", "version", ESP_OTA_VERSION, "port", (int)port, "urls");
    for (size_t i = 0; i < urls->count; i++)
        json_array_append_new(json_object_get(fields, "urls"), json_string(urls->items[i]));
    return write_json_line(stream, "serving", NULL, since_start_us, fields);
}

bool report_json_failure(FILE *stream, const struct ota_failure *failure, int exit_status,
                         int64_t since_start_us)
{
    json_memory_watch();
    return write_json_line(stream, "result", NULL, since_start_us,
                           failure_fields(failure, exit_status));
}

bool report_json_summary(FILE *stream, const struct ota_totals *totals, enum ota_error outcome,
                         int exit_status, int64_t since_start_us)
{
    json_memory_watch();
    json_t *fields =
        json_pack("{s:b, s:i, s:s, s:I, s:I, s:I, s:I}", "ok", outcome == OTA_OK, "exit_status",
                  exit_status, "code", ota_error_name(outcome), "boards",
                  (json_int_t)totals->boards, "confirmed", (json_int_t)totals->confirmed, "failed",
                  (json_int_t)totals->failed, "skipped", (json_int_t)totals->skipped);
    return write_json_line(stream, "summary", NULL, since_start_us, fields);
}
