/* Tasmota. The data handler of /u2 looks at neither the password nor the Referer; they decide on
 * the page that follows, so a 401 or an empty reply leaves open what has happened. */
#include "board.h"
#include "web_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { AFTER_SCHEME = 7 };
enum {
    ERROR_NO_FILE = 1,
    ERROR_SPACE,
    ERROR_SIGNATURE,
    ERROR_SIZE,
    ERROR_MISCOMPARE,
    ERROR_FAILED
};
enum { ERROR_INVALID = 8 };

static const char *const error_texts[] = {
    [ERROR_NO_FILE] = "No file selected",
    [ERROR_SPACE] = "Not enough space",
    [ERROR_SIGNATURE] = "Invalid file signature",
    [ERROR_SIZE] = "Program flash size is larger than real flash size",
    [ERROR_MISCOMPARE] = "Upload buffer miscompare",
    [ERROR_FAILED] = "Upload failed. Enable logging 3",
    [ERROR_INVALID] = "File invalid",
};

static const struct web_config *settings_of(const struct web_client *client)
{
    return &client->board->sim->config->web;
}

static bool is_esp32(const struct web_client *client)
{
    return client->board->sim->config->family.lineage == LINEAGE_ESP32;
}

static bool is_path(const struct web_client *client, const char *path)
{
    return strcmp(client->request.path, path) == 0;
}

/* The board's address or host name must stand behind "http://". */
static bool has_own_referer(const struct web_client *client)
{
    const struct config *config = client->board->sim->config;
    const char *referer = client->request.referer;
    char host[ADDRESS_TEXT];

    if (config->web.unchecked || config->web.page->check != CHECK_REFERER)
        return true;
    if (strlen(referer) < AFTER_SCHEME)
        return false;
    address_host(&client->board->address, host);
    return strncmp(referer + AFTER_SCHEME, host, strlen(host)) == 0 ||
           (config->announced &&
            strncasecmp(referer + AFTER_SCHEME, config->announced, strlen(config->announced)) == 0);
}

/* True if the page may be shown; else the client has got what it gets. */
static bool is_privileged(struct web_client *client)
{
    if (!client->is_allowed)
        web_client_challenge(client);
    else if (!has_own_referer(client))
        web_client_say_nothing(client);
    return client->is_allowed && has_own_referer(client);
}

/* A command's password may also be in the URL. */
static bool has_password_in_url(const struct web_client *client)
{
    char user[HEAD_FIELD] = "", password[HEAD_FIELD] = "";

    http_request_parameter(&client->request, "user", user, sizeof user);
    http_request_parameter(&client->request, "password", password, sizeof password);
    return strcmp(user, settings_of(client)->user) == 0 &&
           strcmp(password, settings_of(client)->password) == 0;
}

/* The safeboot firmware was built apart from the image. */
static void say_status_2(struct web_client *client)
{
    char hardware[HEX_ROOM];
    const struct board *board = client->board;
    const bool is_safeboot = board->web.is_safeboot;

    page_say(client, 200, "application/json", NULL,
             "{\"StatusFWR\":{\"Version\":\"%s(%s)\",\"BuildDateTime\":\"2026-11-%02dT%d:00:00\","
             "\"Hardware\":\"%s\"}}",
             page_version(board), is_safeboot ? "safeboot" : "tasmota",
             board->telnet.is_new && !settings_of(client)->keeps_build ? 2 : 1,
             is_safeboot ? 11 : 12, page_hardware(board, hardware));
}

static void say_status_5(struct web_client *client)
{
    char address[ADDRESS_TEXT], mac[HEX_ROOM];
    const struct board *board = client->board;

    page_say(client, 200, "application/json", NULL,
             "{\"StatusNET\":{\"Hostname\":\"tasmota\",\"IPAddress\":\"%s\",\"Mac\":\"%s\"}}",
             address_host(&board->address, address), page_mac_text(board, mac));
}

/* The value of a command "NAME VALUE"; "" for the name alone, NULL for another command. */
static const char *command_value(const char *command, const char *name)
{
    const size_t length = strlen(name);

    if (strncasecmp(command, name, length) != 0 || (command[length] && command[length] != ' '))
        return NULL;
    return command + length + strspn(command + length, " ");
}

static void say_text(struct web_client *client, const char *name, const char *value)
{
    char escaped[2 * HEAD_FIELD];
    size_t length = 0;

    for (const char *at = value; *at && length + 2 < sizeof escaped; at++) {
        if (*at == '"' || *at == '\\')
            escaped[length++] = '\\';
        escaped[length++] = *at;
    }
    escaped[length] = '\0';
    page_say(client, 200, "application/json", NULL, "{\"%s\":\"%s\"}", name, escaped);
}

static void answer_ota_url(struct web_client *client, const char *value)
{
    struct pull *pull = &client->board->web.pull;

    if (*value)
        snprintf(pull->url, sizeof pull->url, "%s", value);
    say_text(client, "OtaUrl", pull->url);
}

static void answer_upgrade(struct web_client *client, const char *value)
{
    char text[HEAD_FIELD];
    const struct board *board = client->board;

    if (strcmp(value, "1") != 0) {
        snprintf(text, sizeof text, "1 or >%s", page_version(board));
    } else {
        snprintf(text, sizeof text, "Version %s from %s", page_version(board), board->web.pull.url);
        pull_upgrade(client->board);
    }
    say_text(client, "Upgrade", text);
}

/* What the password allows. */
static void run_command(struct web_client *client, const char *command)
{
    const char *value;

    if ((value = command_value(command, "OtaUrl")))
        answer_ota_url(client, value);
    else if ((value = command_value(command, "Upgrade")))
        answer_upgrade(client, value);
    else if (strcasecmp(command, "Status 2") == 0)
        say_status_2(client);
    else if (strcasecmp(command, "Status 5") == 0)
        say_status_5(client);
    else if (strcasecmp(command, "Status 4") == 0)
        page_say(client, 200, "application/json", NULL,
                 "{\"StatusMEM\":{\"ProgramSize\":616,\"Free\":%zu,\"Heap\":25}}",
                 client->board->sim->config->family.capacity / 1024);
    else if (strcasecmp(command, "Status 1") == 0)
        page_say(client, 200, "application/json", NULL,
                 "{\"StatusPRM\":{\"RestartReason\":\"Software/System restart\",\"BootCount\":%u}}",
                 client->board->web.boots);
    else
        page_say(client, 200, "application/json", NULL, "{\"Command\":\"Unknown\"}");
}

static void answer_command(struct web_client *client)
{
    char command[HEAD_FIELD] = "";

    http_request_parameter(&client->request, "cmnd", command, sizeof command);
    if (!has_own_referer(client))
        web_client_say_nothing(client);
    else if (!client->is_allowed && !has_password_in_url(client))
        page_say(client, 401, "application/json", NULL,
                 "{\"WARNING\":\"Need user=<username>&password=<password>\"}");
    else
        run_command(client, command);
}

/* The factory partition's part: whether the recovery firmware runs; if not, it is started. */
static void answer_factory(struct web_client *client)
{
    struct web *web = &client->board->web;

    if (!settings_of(client)->has_safeboot) {
        page_say(client, 200, "text/plain", NULL, "none");
    } else if (web->is_safeboot) {
        web->told_us = now_us();
        page_say(client, 200, "text/plain", NULL, "true");
    } else {
        web->is_safeboot = true;
        client->restart_after_us = settings_of(client)->restart_us;
        page_say(client, 200, "text/plain", NULL, "false");
    }
}

static void answer_upgrade_page(struct web_client *client)
{
    client->board->web.is_started = true;
    client->board->web.error = 0;
    page_say(client, 200, "text/html", NULL, "%s",
             "<html><body><form method='post' action='u2?fsz=' enctype='multipart/form-data'>"
             "<input type='file' name='u2'></form></body></html>");
}

static void answer_page(struct web_client *client)
{
    if (is_path(client, "/up"))
        answer_upgrade_page(client);
    else
        page_say(client, 200, "text/html", NULL,
                 "<html><head><title>Tasmota</title></head><body>"
                 "<a href='up'>Firmware Upgrade</a></body></html>");
}

/* A server that has just been started sometimes loses an upload, so the browser's page waits for a
 * second after "true" (arendst/Tasmota, pull request 21428). */
static bool is_settled(const struct web_client *client)
{
    enum { SETTLED_US = 900000 };
    const struct web *web = &client->board->web;

    return !settings_of(client)->is_unsettled || !web->is_safeboot ||
           now_us() - web->told_us >= SETTLED_US;
}

/* The main page can be opened by its address alone. */
static bool tasmota_begins(struct web_client *client)
{
    if (strcmp(client->request.method, "GET") != 0) {
        if (!is_settled(client))
            web_client_say_nothing(client);
        return is_settled(client);
    }
    if (is_path(client, "/cm")) {
        answer_command(client);
    } else if (is_path(client, "/u4") && is_esp32(client)) {
        if (is_privileged(client))
            answer_factory(client);
    } else if (is_path(client, "/up")) {
        if (is_privileged(client))
            answer_page(client);
    } else if (!is_path(client, "/")) {
        return true;
    } else if (client->is_allowed) {
        answer_page(client);
    } else {
        web_client_challenge(client);
    }
    return false;
}

/* Without /up before it the server does not know what is uploaded. */
static bool tasmota_file_begins(struct web_client *client, const struct form_part *part)
{
    struct web *web = &client->board->web;

    if (!web->is_started)
        web->error = ERROR_INVALID;
    else if (!*part->file)
        web->error = ERROR_NO_FILE;
    client->writes = web->error == 0;
    return false;
}

/* An ESP32 says of an image that is larger than the partition what an ESP8266 says of one for a
 * larger flash (HandleUploadLoop() of xdrv_01_9_webserver.ino, 15.5). */
static void begin_update(struct web_client *client)
{
    struct web *web = &client->board->web;
    bool wrong_partition = settings_of(client)->has_safeboot && !web->is_safeboot;
    size_t room = client->board->sim->config->family.capacity;
    char text[HEAD_FIELD] = "0";

    http_request_parameter(&client->request, "fsz", text, sizeof text);
    size_t size = strtoul(text, NULL, 10);
    if (is_esp32(client) && !wrong_partition && size > room)
        web->error = ERROR_SIZE;
    else if (wrong_partition || !updater_begin(client->board, size, false, NULL))
        web->error = ERROR_SPACE;
}

/* The first byte decides before the update begins. */
static void tasmota_file_data(struct web_client *client, const void *bytes, size_t length)
{
    const uint8_t first = *(const uint8_t *)bytes;
    (void)length;

    if (client->start_length > 0)
        return;
    client->start_length = 1;
    if (first != 0xe9 && (first != 0x1f || is_esp32(client)))
        client->board->web.error = ERROR_SIGNATURE;
    else
        begin_update(client);
}

static void say_verdict(struct web_client *client, unsigned error)
{
    const char *language = settings_of(client)->language;
    bool german = language && strcmp(language, "de") == 0;
    const char *text =
        error < sizeof error_texts / sizeof error_texts[0] ? error_texts[error] : NULL;
    char body[2048], reason[HEAD_FIELD] = "";
    const struct answer answer = {200, "text/html", NULL, body, 0, true};

    if (error)
        snprintf(reason, sizeof reason, "%s %u", german ? "Upload-Fehler" : "Upload error code",
                 error);
    if (error && text && !german)
        snprintf(reason, sizeof reason, "%s", text);
    snprintf(body, sizeof body,
             "<html><head>%s%s%s</head><body><div style='text-align:center;'><b>Upload "
             "<font color='#%s'>%s</font></b><br><br>%s</div></body></html>",
             error ? "" : "<script>setTimeout(function(){location.href='.';},",
             error              ? ""
             : is_esp32(client) ? "10000"
                                : "24000",
             error ? "" : ");</script>", error ? "ff661a" : "008000",
             error ? (german ? "fehlgeschlagen" : "Failed")
                   : (german ? "erfolgreich" : "Successful"),
             reason);
    page_answer(client, &answer);
}

static bool tasmota_finish(struct web_client *client)
{
    struct web *web = &client->board->web;
    unsigned error = web->error;

    if (strcmp(client->request.method, "POST") != 0 || !is_path(client, "/u2"))
        return false;
    web->is_started = false;
    if (client->installed && page_withholds_reply(client))
        return true;
    if (!is_privileged(client))
        return true;

    if (!error && !client->has_file)
        error = ERROR_NO_FILE;
    if (!error && !client->installed)
        error = ERROR_FAILED;
    if (!error) {
        web->is_safeboot = web->is_safeboot && settings_of(client)->rolls_back;
        client->restart_after_us = settings_of(client)->restart_us;
        board_counts_success(client->board);
    }
    say_verdict(client, error);
    return true;
}

const struct page_hooks tasmota_hooks = {.begins = tasmota_begins,
                                         .file_begins = tasmota_file_begins,
                                         .file_data = tasmota_file_data,
                                         .finish = tasmota_finish};
