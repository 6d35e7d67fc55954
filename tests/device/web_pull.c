/* The OTA loop runs once a second: three seconds after the command it tries first, and two after
 * each failure again, four times in all. Only a reply that ends in an image, or 304, ends it with a
 * restart. */
#include "web_pull.h"

#include "board.h"
#include "event.h"
#include "fetcher.h"
#include "web_page.h"

#include <stdio.h>
#include <string.h>

enum { ATTEMPTS = 4, START_S = 3, AGAIN_S = 2, RESTART_S = 3, HASTE = 10 };

static struct pull *pull_of(struct board *board)
{
    return &board->web.pull;
}

static bool pulls_as_esp32(const struct board *board)
{
    return board->sim->config->family.lineage == LINEAGE_ESP32;
}

/* Runs then(board) after some rounds of the OTA loop. */
static void pull_after(struct board *board, unsigned seconds, void (*then)(void *board))
{
    const int64_t second_us = board->sim->config->web.is_hasty ? 1000000 / HASTE : 1000000;

    pull_of(board)->timer.expired = then;
    timer_start(board->sim->loop, &pull_of(board)->timer, (int64_t)seconds * second_us);
}

/* -- how an attempt ends -- */

static void try_pull(void *owner);

static void restart_after_pull(void *owner)
{
    struct board *board = owner;

    if (pull_of(board)->has_installed) {
        fetch_start_installed(board);
        board->web.is_safeboot = board->web.is_safeboot && board->sim->config->web.rolls_back;
    }
    board_restart(board);
}

static void fail_pull(struct board *board, const char *reason)
{
    char escaped[ESCAPED_ROOM];
    struct pull *pull = pull_of(board);

    pull->attempts--;
    board_event(board, "fetch result=failed reason=%s left=%u",
                event_quoted(reason, strcspn(reason, "\r\n"), escaped), pull->attempts);
    if (pull->attempts > 0)
        pull_after(board, AGAIN_S, try_pull);
}

static void on_end(struct board *board, enum fetch_end end, const char *reason)
{
    struct pull *pull = pull_of(board);

    if (end != FETCH_INSTALLED && end != FETCH_UNCHANGED) {
        fail_pull(board, reason);
        return;
    }
    pull->has_installed = end == FETCH_INSTALLED;
    board_event(board, "fetch result=%s", pull->has_installed ? "update" : "none");
    pull->attempts = 0;
    pull_after(board, RESTART_S, restart_after_pull);
}

/* -- an attempt -- */

/* With one partition for the firmware, the recovery firmware fetches the image. */
static bool leaves_it_to_safeboot(struct board *board)
{
    struct web *web = &board->web;

    if (!board->sim->config->web.has_safeboot || web->is_safeboot)
        return false;
    web->is_safeboot = true;
    web->pull.is_inherited = true;
    board_restart(board);
    return true;
}

/* The last attempt of an ESP8266 asks for the compressed image. */
static void try_pull(void *owner)
{
    struct board *board = owner;
    const struct pull *pull = pull_of(board);
    struct fetch_request *request = &board->fetch.request;

    if (board_fault(board, FAULT_NEVER_CONNECT)) {
        pull_of(board)->attempts = 0;
        return;
    }
    if (leaves_it_to_safeboot(board))
        return;

    const bool wants_packed =
        pull->attempts == 1 && !pulls_as_esp32(board) && !strstr(pull->url, ".gz");
    *request =
        (struct fetch_request){.fetcher = fetcher_find(pulls_as_esp32(board) ? "esp32" : "esp8266"),
                               .purpose = FETCH_IMAGE,
                               .hurry = board->sim->config->web.is_hasty ? HASTE : 1};
    snprintf(request->url, sizeof request->url, "%s%s", pull->url, wants_packed ? ".gz" : "");
    snprintf(request->version, sizeof request->version, "%s(%s)", page_version(board),
             board->web.is_safeboot ? "safeboot" : "tasmota");
    board->fetch.ended = on_end;
    fetch_begin(board);
}

void pull_upgrade(struct board *board)
{
    pull_of(board)->attempts = ATTEMPTS;
    pull_after(board, START_S, try_pull);
}

/* -- the life of the board -- */

void pull_set_up(struct board *board)
{
    static const char first[] = "http://ota.tasmota.com/tasmota/release/tasmota.bin.gz";
    struct pull *pull = pull_of(board);
    const char *url = board->sim->config->web.ota_url;

    pull->timer = (struct timer){.owner = board};
    snprintf(pull->url, sizeof pull->url, "%s", url ? url : first);
    memcpy(pull->saved_url, pull->url, sizeof pull->url);
}

void pull_come_back(struct board *board)
{
    struct pull *pull = pull_of(board);

    if (pull->is_inherited)
        pull_upgrade(board);
    pull->is_inherited = false;
}

/* The recovery firmware saves no settings. */
void pull_leave(struct board *board)
{
    struct pull *pull = pull_of(board);

    timer_stop(board->sim->loop, &pull->timer);
    pull->attempts = 0;
    pull->has_installed = false;
    if (board->web.is_safeboot && !pull->is_inherited)
        memcpy(pull->url, pull->saved_url, sizeof pull->url);
    else
        memcpy(pull->saved_url, pull->url, sizeof pull->url);
}

void pull_abandon(struct board *board)
{
    timer_stop(board->sim->loop, &pull_of(board)->timer);
}
