/* ESPEasy: the page of the core, and /json, which tells the version to everybody. */
#include "board.h"
#include "web_page.h"

#include <stdio.h>
#include <string.h>

enum { JSON_ROOM = 1024 };

static bool espeasy_begins(struct web_client *client)
{
    const char *version = page_version(client->board);
    char text[JSON_ROOM], name[HEX_ROOM];
    struct answer answer = {200, "application/json", NULL, text, 0, true};

    if (!version || strcmp(client->request.method, "GET") != 0 ||
        strcmp(client->request.path, "/json") != 0)
        return true;
    snprintf(text, sizeof text,
             "{\"System\":{\n\"Load\":3.48,\n\"Build\":%s,\n\"Git Build\":\"mega-%s\",\n"
             "\"Build Time\":\"%s\",\n\"Unit Number\":1,\n\"ESP Chip Model\":\"%s\"\n},\n"
             "\"Sensors\":[\n],\n\"TTL\":60000\n}",
             version, version, client->board->telnet.is_new ? "22:00:00" : "21:00:00",
             page_hardware(client->board, name));
    page_answer(client, &answer);
    return false;
}

const struct page_hooks espeasy_hooks = {.begins = espeasy_begins};
