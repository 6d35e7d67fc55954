/* MycilaSafeBoot, and OTAWebUpdater's answers to unknown paths. */
#include "board.h"
#include "web_page.h"

#include <string.h>

static bool is_request(const struct web_client *client, const char *method, const char *path)
{
    return strcmp(client->request.method, method) == 0 && strcmp(client->request.path, path) == 0;
}

/* The recovery firmware offers its page for every path. */
static bool safeboot_begins(struct web_client *client)
{
    static const char *const paths[] = {"/", "/sbversion", "/chipspecs"};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (is_request(client, "GET", paths[i]))
            return true;
    if (strcmp(client->request.method, "GET") != 0)
        return true;
    page_say(client, 302, "text/plain", "Location: /\r\n", "%s", "");
    return false;
}

/* The kind of image is in the URL. */
static bool safeboot_file_begins(struct web_client *client, const struct form_part *part)
{
    char mode[HEAD_FIELD] = "";
    (void)part;

    http_request_parameter(&client->request, "mode", mode, sizeof mode);
    client->skips_data = !updater_begin(client->board, 0, strcmp(mode, "1") == 0, NULL);
    return false;
}

static bool safeboot_finish(struct web_client *client)
{
    if (!is_request(client, "POST", "/cancel"))
        return false;
    client->restart_after_us = client->board->sim->config->web.restart_us;
    page_say(client, 200, "text/plain", NULL, "OK");
    return true;
}

const struct page_hooks safeboot_hooks = {
    .begins = safeboot_begins, .file_begins = safeboot_file_begins, .finish = safeboot_finish};

/* Every path but the upload's is the page. */
static bool webupdater_begins(struct web_client *client)
{
    if (strcmp(client->request.method, "GET") != 0)
        return true;
    if (!client->is_allowed)
        web_client_challenge(client);
    else
        page_say(client, 200, "text/html", NULL, "%s",
                 "<html><head><title>ESP32 OTA</title></head><body><form method='POST' "
                 "action='/update'><input type='file' name='update'></form></body></html>");
    return false;
}

const struct page_hooks webupdater_hooks = {.begins = webupdater_begins};
