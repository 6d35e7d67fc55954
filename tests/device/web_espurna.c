/* ESPurna's web interface: it looks at the first bytes, and has a status for each kind of error. An
 * update that broke off runs until a restart (code/espurna/ota_web.cpp). */
#include "board.h"
#include "web_page.h"

#include <string.h>

static const char no_magic[] = "ERROR: No magic byte / invalid flash config";

static bool espurna_file_begins(struct web_client *client, const struct form_part *part)
{
    (void)part;
    if (!client->board->web.updater.is_running)
        return true;
    client->writes = false;
    client->reply_text = "ERROR: Upgrade in progress";
    return false;
}

static void espurna_file_data(struct web_client *client, const void *bytes, size_t length)
{
    const uint8_t first = *(const uint8_t *)bytes;
    (void)length;

    if (client->start_length > 0)
        return;
    client->start_length = 1;
    if (first != 0xe9 && first != 0x1f)
        updater_fail(client->board, no_magic);
}

static bool espurna_finish(struct web_client *client)
{
    const struct web_config *config = &client->board->sim->config->web;
    const char *error = client->board->web.updater.error;
    bool is_upload = strcmp(client->request.method, "POST") == 0 &&
                     strcmp(client->request.path, config->page->upload_path) == 0;

    if (!is_upload || !client->is_allowed)
        return false;
    if (!client->has_file)
        page_say(client, 400, "text/plain", config->page->headers, "ERROR: Invalid request");
    else if (client->reply_text)
        page_say(client, 400, "text/plain", config->page->headers, "%s", client->reply_text);
    else if (strcmp(error, no_magic) == 0)
        page_say(client, 400, "text/plain", config->page->headers, "%s", error);
    else
        return false;
    return true;
}

const struct page_hooks espurna_hooks = {
    .file_begins = espurna_file_begins, .file_data = espurna_file_data, .finish = espurna_finish};
