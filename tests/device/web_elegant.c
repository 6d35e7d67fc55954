/* ElegantOTA, version 3: GET /ota/start, then POST /ota/upload; and version 2 (AsyncElegantOTA):
 * one POST with the MD5 before the file, or, on an ESP8266's own server, one for the
 * HTTPUpdateServer. The pages come packed, whatever the client accepts. */
#include "board.h"
#include "web_page.h"

#include <string.h>
#include <zlib.h>

enum { PACKED_ROOM = 1024 };

static bool is_get(const struct web_client *client, const char *path)
{
    return strcmp(client->request.method, "GET") == 0 && strcmp(client->request.path, path) == 0;
}

static const char *hardware(const struct web_client *client)
{
    return client->board->sim->config->family.lineage == LINEAGE_ESP32 ? "ESP32" : "ESP8266";
}

static void answer_packed(struct web_client *client, const char *text)
{
    enum { GZIP = 16, MEMORY = 8 };
    unsigned char packed[PACKED_ROOM];
    z_stream stream = {.next_in = (unsigned char *)text,
                       .avail_in = (uInt)strlen(text),
                       .next_out = packed,
                       .avail_out = sizeof packed};

    deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, MEMORY,
                 Z_DEFAULT_STRATEGY);
    deflate(&stream, Z_FINISH);
    deflateEnd(&stream);

    const struct answer answer = {
        200,  "text/html", "Content-Encoding: gzip\r\n", (const char *)packed, stream.total_out,
        false};
    page_answer(client, &answer);
}

/* The hash's form is looked at, but Update.begin() empties it: it is never compared. */
static void start(struct web_client *client)
{
    char mode[HEAD_FIELD] = "", hash[HEAD_FIELD];
    struct updater *updater = &client->board->web.updater;

    http_request_parameter(&client->request, "mode", mode, sizeof mode);
    if (http_request_parameter(&client->request, "hash", hash, sizeof hash) &&
        strlen(hash) != MD5_HEX) {
        page_say(client, 400, "text/plain", NULL, "MD5 parameter invalid");
        return;
    }

    /* It asks for the updater's error, not whether the update has begun. */
    bool begun = updater_begin(client->board, 0, strcmp(mode, "fs") == 0, NULL);
    if (begun || !*updater->error)
        page_say(client, 200, "text/plain", NULL, "OK");
    else
        page_say(client, 400, "text/plain", NULL, "%s\n", updater->error);
}

static bool elegant_begins(struct web_client *client)
{
    bool page = is_get(client, "/update");

    if (!page && !is_get(client, "/ota/start"))
        return true;
    if (!client->is_allowed)
        web_client_challenge(client);
    else if (page)
        answer_packed(client, "<!DOCTYPE html><html><head><title>ElegantOTA Lite</title></head>"
                              "<body><script>fetch('/ota/start')</script></body></html>");
    else
        start(client);
    return false;
}

/* The update begins with /ota/start alone; without it nothing is written, and the reply is OK. */
static bool elegant_file_begins(struct web_client *client, const struct form_part *part)
{
    (void)client;
    (void)part;
    return false;
}

const struct page_hooks elegant_hooks = {.begins = elegant_begins,
                                         .file_begins = elegant_file_begins};

static bool elegant2_begins(struct web_client *client)
{
    bool page = is_get(client, "/update");

    if (!page && !is_get(client, "/update/identity"))
        return true;
    if (!client->is_allowed)
        web_client_challenge(client);
    else if (page)
        answer_packed(client, "<!DOCTYPE html><html><head><title>ElegantOTA</title></head></html>");
    else
        page_say(client, 200, "application/json", NULL, "{\"id\": %s, \"hardware\": \"%s\"}",
                 client_server(client)->is_async ? "\"A1B2C3\"" : "A1B2C3", hardware(client));
    return false;
}

static void elegant2_field(struct web_client *client, const char *name, const char *value)
{
    if (strcmp(name, "MD5") == 0)
        strncpy(client->md5, value, sizeof client->md5 - 1);
}

/* Without the MD5 the file is not written, and the library's 400 is overwritten by OK. The MD5 is
 * set before Update.begin(), which forgets it, but not if it returns at once, as an update runs. */
static bool elegant2_file_begins(struct web_client *client, const struct form_part *part)
{
    struct board *board = client->board;
    bool checks = board->sim->config->web.checks_md5;

    if (strlen(client->md5) != MD5_HEX) {
        client->writes = false;
        return false;
    }
    client->skips_data = !updater_begin(board, 0, strcmp(part->file, "filesystem") == 0,
                                        checks ? client->md5 : NULL);
    if (client->skips_data && board->web.updater.is_running)
        updater_expect(board, client->md5);
    return false;
}

const struct page_hooks elegant2_hooks = {
    .begins = elegant2_begins, .field = elegant2_field, .file_begins = elegant2_file_begins};

const struct page_hooks elegant2_core_hooks = {.begins = elegant2_begins};
