/* What update pages have in common: GETs, the file of a form, the verdict, and how a board ends. */
#include "web_page.h"

#include "board.h"
#include "event.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { BODY_ROOM = 1024 };

static const struct web_server servers[] = {
    {.name = "ESP8266WebServer",
     .manner = FORM_ESP8266,
     .serves_one = true,
     .keeps_alive = true,
     .silence_us = 5000000,
     .end_us = 2000000},
    {.name = "WebServer",
     .manner = FORM_ESP32,
     .serves_one = true,
     .silence_us = 5000000,
     .end_us = 2000000},
    {.name = "ESPAsyncWebServer", .manner = FORM_BY_NAME, .is_async = true, .silence_us = 3000000},
    {.name = "esp_http_server",
     .manner = FORM_BY_NAME,
     .keeps_alive = true,
     .needs_length = true,
     .silence_us = 5000000},
    {.name = "ArduinoOTA", .serves_one = true, .silence_us = 600000000, .end_us = 500000},
};

const struct web_server *server_of(const struct board *board)
{
    const struct config *config = board->sim->config;

    switch (config->web.page->server) {
    case SERVER_ASYNC:
        return &servers[2];
    case SERVER_OF_IDF:
        return &servers[3];
    case SERVER_SKETCH:
        return &servers[4];
    case SERVER_OF_CORE:
        break;
    }
    return &servers[config->family.eboot ? 0 : 1];
}

static const struct page *page_of(const struct web_client *client)
{
    return client->board->sim->config->web.page;
}

static struct updater *updater_of(const struct web_client *client)
{
    return &client->board->web.updater;
}

bool page_takes_raw(const struct web_client *client)
{
    const struct page_hooks *hooks = page_of(client)->hooks;
    return hooks && hooks->raw;
}

void page_raw_data(struct web_client *client, const void *bytes, size_t length)
{
    page_of(client)->hooks->raw(client, bytes, length);
}

static bool is_method(const struct web_client *client, const char *method)
{
    return strcmp(client->request.method, method) == 0;
}

static const char *upload_path(const struct web_client *client)
{
    const char *path = client->board->sim->config->web.path;
    return path ? path : page_of(client)->upload_path;
}

static bool is_upload(const struct web_client *client)
{
    return is_method(client, "POST") && strcmp(client->request.path, upload_path(client)) == 0;
}

/* The core's server says what it has not found. */
static void answer_not_found(struct web_client *client)
{
    char body[BODY_ROOM + HEAD_VALUE];
    bool of_core = client_server(client)->serves_one;
    struct answer answer = {404, "text/plain", NULL, "Not found\n", 0, false};

    if (of_core) {
        snprintf(body, sizeof body, "Not found: %s", client->request.path);
        answer.type = "text/html";
        answer.body = body;
    }
    page_answer(client, &answer);
}

static const struct resource *find_resource(const struct web_client *client)
{
    const struct resource *rows = page_of(client)->resources;
    for (const struct resource *row = rows; row && row->path; row++)
        if (strcmp(row->path, client->request.path) == 0)
            return row;
    return NULL;
}

static void answer_get(struct web_client *client)
{
    const struct resource *row = find_resource(client);

    if (!row) {
        answer_not_found(client);
    } else if (!row->is_open && !client->is_allowed) {
        web_client_challenge(client);
    } else {
        const struct answer answer = {200, row->type, NULL, row->body, 0, false};
        page_answer(client, &answer);
    }
}

bool page_begins(struct web_client *client)
{
    if (board_fault(client->board, FAULT_SILENT)) {
        web_client_hold(client);
        return false;
    }
    const struct page_hooks *hooks = page_of(client)->hooks;
    if (hooks && hooks->begins && !hooks->begins(client))
        return false;
    if (is_method(client, "GET")) {
        answer_get(client);
        return false;
    }
    if (is_method(client, "POST") && client_server(client)->needs_length &&
        !client->request.has_length) {
        const struct answer answer = {
            411, "text/html", NULL, "Chunked encoding not supported by server", 0, false};
        page_answer(client, &answer);
        return false;
    }
    if (client->board->sim->config->web.denies_early && is_upload(client) && !client->is_allowed) {
        client->fin_after_us = 0;
        web_client_challenge(client);
        return false;
    }
    return true;
}

static bool names_its_origin(const struct web_client *client)
{
    const struct http_request *request = &client->request;
    return strncmp(request->origin, "http://", 7) == 0 &&
           strcmp(request->origin + 7, request->host) == 0;
}

static bool may_write(const struct web_client *client)
{
    const struct page *page = page_of(client);
    bool checks = page->check == CHECK_ORIGIN && !client->board->sim->config->web.unchecked;
    return client->is_allowed && (!checks || names_its_origin(client));
}

static void say_part(const struct web_client *client, const struct form_part *part)
{
    char name[ESCAPED_ROOM], file[ESCAPED_ROOM], headers[ESCAPED_ROOM];
    board_event(client->board, "part name=%s filename=%s headers=%s",
                event_value(part->name, strlen(part->name), name),
                event_quoted(part->file, strlen(part->file), file),
                event_value(part->headers, strlen(part->headers), headers));
}

static void field(void *owner, const struct form_part *part, const char *value)
{
    struct web_client *client = owner;
    const struct page_hooks *hooks = page_of(client)->hooks;

    say_part(client, part);
    if (hooks && hooks->field)
        hooks->field(client, part->name, value);
}

static void file_begins(void *owner, const struct form_part *part)
{
    struct web_client *client = owner;
    const struct page *page = page_of(client);
    struct web *web = &client->board->web;

    say_part(client, part);
    if (!is_upload(client))
        return;
    client->has_file = true;
    web->was_allowed = may_write(client);
    client->writes = web->was_allowed || page->writes_unauthorised;
    if (!client->writes)
        return;

    web->uploader = client;
    client->skips_data = false;
    if (page->hooks && page->hooks->file_begins && !page->hooks->file_begins(client, part))
        return;
    if (page->appends && web->updater.is_running)
        return;
    bool filesystem = page->filesystem && strcmp(part->name, page->filesystem) == 0;
    client->skips_data = !updater_begin(client->board, 0, filesystem, NULL);
}

static void file_data(void *owner, const void *bytes, size_t length)
{
    struct web_client *client = owner;
    struct upload *upload = &client->board->upload;

    const struct page_hooks *hooks = page_of(client)->hooks;

    if (!client->writes)
        return;
    if (hooks && hooks->file_data)
        hooks->file_data(client, bytes, length);
    if (client->skips_data) {
        client->skips_data = false;
        return;
    }
    if (upload->corrupt) {
        const uint8_t changed = *(const uint8_t *)bytes ^ 0x20;
        upload->corrupt = false;
        updater_write(client->board, &changed, 1, &client->cost_us);
        bytes = (const uint8_t *)bytes + 1;
        length--;
    }
    if (length > 0)
        updater_write(client->board, bytes, length, &client->cost_us);
}

static void file_ends(void *owner)
{
    struct web_client *client = owner;

    if (!client->writes)
        return;
    const struct page_hooks *hooks = page_of(client)->hooks;
    if (hooks && hooks->file_ends)
        hooks->file_ends(client);
    client->installed = updater_end(client->board);
}

const struct form_events page_form_events = {field, file_begins, file_data, file_ends};

/* The error as the page shows it; its length. */
static int show_error(const struct web_client *client, const char **error)
{
    static const char mark[] = "ERROR[";
    const struct page *page = page_of(client);

    *error = updater_of(client)->error;
    if (page->has_error_numbers && strncmp(*error, mark, strlen(mark)) == 0) {
        *error += strlen(mark);
        return (int)strcspn(*error, "]");
    }
    return (int)(page->bare_errors ? strcspn(*error, "\r\n") : strlen(*error));
}

void page_say_failure(struct web_client *client)
{
    const struct page *page = page_of(client);
    const char *error;
    char body[BODY_ROOM];
    int length = show_error(client, &error);
    const char *at = strstr(page->failure.body, "%s");
    struct answer answer = page->failure;

    if (at)
        snprintf(body, sizeof body, "%.*s%.*s%s", (int)(at - page->failure.body),
                 page->failure.body, length, error, at + 2);
    else
        snprintf(body, sizeof body, "%s", page->failure.body);
    answer.body = body;
    answer.headers = page->headers;
    if (page->restarts_always)
        client->restart_after_us = client->board->sim->config->web.restart_us;
    page_answer(client, &answer);
}

void page_say_success(struct web_client *client)
{
    const struct page *page = page_of(client);
    struct answer answer = page->success;

    if (!answer.headers)
        answer.headers = page->headers;
    client->fin_after_us = page->fin_us;
    if (!client->board->sim->config->web.stays)
        client->restart_after_us = client->board->sim->config->web.restart_us;
    if (client->installed)
        board_counts_success(client->board);
    page_answer(client, &answer);
}

/* HTTPUpdateServer has one flag for the credentials and the origin. */
static void answer_not_allowed(struct web_client *client)
{
    const struct page *page = page_of(client);
    const struct answer wrong_origin = {
        200, "text/html", NULL, "Update error: Wrong origin received!", 0, false};

    if (page->says_wrong_origin && !client->board->sim->config->has_password)
        page_answer(client, &wrong_origin);
    else
        web_client_challenge(client);
}

static bool is_denied(const struct web_client *client)
{
    const struct page *page = page_of(client);
    if (page->allows_at_file)
        return !client->board->web.was_allowed;
    return !client->is_allowed || (client->has_file && !client->board->web.was_allowed);
}

static void leave_unanswered(struct web_client *client, bool reset)
{
    web_restart_after(client->board, client->board->sim->config->web.restart_us);
    board_counts_success(client->board);
    web_client_close(client, reset);
}

/* The image is installed, but the client is not to learn it. True if so ordered. */
bool page_withholds_reply(struct web_client *client)
{
    struct board *board = client->board;
    const struct fault *raw;

    if (board_fault(board, FAULT_OK_NEVER)) {
        web_client_hold(client);
    } else if (board_fault(board, FAULT_DROP_VERDICT)) {
        web_restart_after(board, board->sim->config->web.restart_us);
        web_client_leave_behind(client);
        board_counts_success(board);
    } else if (board_fault(board, FAULT_OK_RESET)) {
        leave_unanswered(client, true);
    } else if (board_fault(board, FAULT_OK_MISSING)) {
        leave_unanswered(client, false);
    } else if ((raw = board_fault(board, FAULT_RAW_REPLY))) {
        client->fin_after_us = 0;
        client->restart_after_us = board->sim->config->web.restart_us;
        web_client_send(client, raw->text, raw->text_length);
    } else {
        return false;
    }
    return true;
}

/* HTTPUpdateServer answers a POST without a file as it has answered the last one with a file. */
static bool has_failed(const struct web_client *client)
{
    const struct page *page = page_of(client);
    if (client->has_file || page->allows_at_file)
        return *updater_of(client)->error != '\0';
    return !page->succeeds_empty;
}

static void answer_upload(struct web_client *client)
{
    if (client->installed && page_withholds_reply(client))
        return;
    if (client->installed && board_fault(client->board, FAULT_LATE_401)) {
        client->restart_after_us = client->board->sim->config->web.restart_us;
        web_client_challenge(client);
    } else if (is_denied(client)) {
        answer_not_allowed(client);
    } else if (has_failed(client)) {
        page_say_failure(client);
    } else {
        page_say_success(client);
    }
}

void page_finish(struct web_client *client)
{
    if (client->board->web.uploader == client)
        client->board->web.uploader = NULL;
    const struct page_hooks *hooks = page_of(client)->hooks;
    if (hooks && hooks->finish && hooks->finish(client))
        return;
    if (is_upload(client)) {
        answer_upload(client);
    } else if (is_method(client, "OPTIONS") &&
               strcmp(client->request.path, upload_path(client)) == 0 && page_of(client)->headers) {
        const struct answer answer = {200, "text/html", page_of(client)->headers, "y", 0, false};
        page_answer(client, &answer);
    } else {
        answer_not_found(client);
    }
}

const char *page_mac(const struct board *board, char mac[HEX_ROOM])
{
    char address[ADDRESS_TEXT], digits[HEX_ROOM] = "000000";

    address_host(&board->address, address);
    md5_hex(address, strlen(address), digits);
    snprintf(mac, HEX_ROOM, "5ccf7f%.6s", digits);
    return mac;
}

const char *page_mac_text(const struct board *board, char text[HEX_ROOM])
{
    char digits[HEX_ROOM];
    size_t length = 0;

    page_mac(board, digits);
    for (size_t i = 0; i < 12; i++) {
        if (i > 0 && i % 2 == 0)
            text[length++] = ':';
        text[length++] = (char)toupper((unsigned char)digits[i]);
    }
    text[length] = '\0';
    return text;
}

const char *page_hardware(const struct board *board, char name[HEX_ROOM])
{
    const struct config *config = board->sim->config;
    const char *chip = esp_chip_name(config->chip);

    if (config->family.lineage != LINEAGE_ESP32) {
        snprintf(name, HEX_ROOM, "ESP8266EX");
        return name;
    }
    snprintf(name, HEX_ROOM, "ESP32-%s", strcmp(chip, "esp32") == 0 ? "D0WD-V3" : chip + 5);
    for (char *at = name; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return name;
}

const char *page_version(const struct board *board)
{
    const struct web_config *config = &board->sim->config->web;
    return board->telnet.is_new ? config->version_after : config->version;
}

void page_client_left(struct web_client *client)
{
    struct board *board = client->board;

    if (board->web.uploader == client && !page_of(client)->keeps_running)
        updater_abort(board, "host closed");
    if (client->phase == CLIENT_HELD && client->installed) {
        web_restart_after(board, board->sim->config->web.restart_us);
        board_counts_success(board);
    }
}

static void reply_early(struct web_client *client, const struct fault *fault)
{
    struct board *board = client->board;

    updater_fail(board, fault->text);
    board->web.uploader = NULL;
    client->fin_after_us = 0;
    page_say_failure(client);
}

bool web_apply_fault(struct board *board, const struct fault *fault)
{
    struct web_client *client = board->web.uploader;

    if (!client)
        return fetch_apply_fault(board, fault);
    switch (fault->kind) {
    case FAULT_RESET:
    case FAULT_CLOSE:
        web_client_close(client, fault->kind == FAULT_RESET);
        return true;
    case FAULT_ERROR:
        reply_early(client, fault);
        return true;
    case FAULT_CRASH:
        board->web.updater.is_running = false;
        upload_crash(board);
        return true;
    case FAULT_STALL:
        web_client_hold(client);
        return true;
    case FAULT_PAUSE:
        web_client_pause(client, (int64_t)fault->number * 1000);
        return true;
    case FAULT_CORRUPT:
        board->upload.corrupt = true;
        return false;
    default:
        return false;
    }
}
