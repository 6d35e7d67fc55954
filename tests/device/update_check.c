/* The requests of one look for an update:
 *
 *   Arduino cores     GET; with a sidecar GET of URL.md5 before it
 *   esp_https_ota     GET, and with Range for the rest after a broken download; or HEAD, and GET
 *                     with Range on a new connection for each piece
 *   ESPHome           GET of URL.md5 and GET; or GET of a manifest, and GET of its image if the
 *                     version is another one */
#include "update_check.h"

#include "board.h"
#include "event.h"
#include "fetcher.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ask(void *owner);

static const struct fetch_config *config_of(const struct board *board)
{
    return &board->sim->config->fetch;
}

static bool has_manifest(const struct board *board)
{
    const struct fetch_config *config = config_of(board);
    const size_t length = strlen(config->url);

    return config->fetcher->way == FETCHER_ESPHOME && length > 5 &&
           strcmp(config->url + length - 5, ".json") == 0;
}

static const char *running_version(const struct board *board)
{
    const struct fetch_config *config = config_of(board);
    const char *version =
        board->check.is_new && config->version_after ? config->version_after : config->version;

    return version ? version : "";
}

/* -- the end of a look -- */

static void ask_later(struct board *board)
{
    board->check.timer.expired = ask;
    timer_start(board->sim->loop, &board->check.timer, INT64_C(1000) * config_of(board)->every_ms);
}

/* An update counts as an upload (--uploads) once the board is back and has asked again. */
static void note_answer(struct board *board)
{
    if (board->check.is_unanswered)
        board_counts_success(board);
    board->check.is_unanswered = false;
}

static void end_look(struct board *board)
{
    note_answer(board);
    ask_later(board);
}

static void restart(void *owner)
{
    struct board *board = owner;

    board->check.is_unanswered = true;
    board_restart(board);
}

static void install(struct board *board)
{
    const struct fetch_config *config = config_of(board);

    board_event(board, "fetch result=update bytes=%zu", board->upload.received);
    note_answer(board);
    board->check.whole = 0;
    if (config->never_restarts || config->is_filesystem) {
        board->check.is_unanswered = config->is_filesystem;
        end_look(board);
        return;
    }
    if (!config->rolls_back) {
        board->check.is_new = true;
        fetch_start_installed(board);
    }
    board->check.timer.expired = restart;
    timer_start(board->sim->loop, &board->check.timer, board->sim->config->family.restart_us);
}

static void fail(struct board *board, const char *reason)
{
    char escaped[ESCAPED_ROOM];

    board_event(board, "fetch result=failed reason=%s",
                event_quoted(reason, strcspn(reason, "\r\n"), escaped));
    end_look(board);
}

/* -- the requests of a look -- */

static void on_end(struct board *board, enum fetch_end end, const char *reason);

static struct fetch_request *begin_request(struct board *board, enum fetch_purpose purpose)
{
    const struct fetch_config *config = config_of(board);
    struct fetch_request *request = &board->fetch.request;

    *request = (struct fetch_request){
        .fetcher = config->fetcher,
        .purpose = purpose,
        .is_filesystem = config->is_filesystem,
        .password = board->sim->config->has_password ? board->sim->config->web.password : NULL,
        .user = config->user,
        .hurry = config->is_hasty ? 10 : 1};
    snprintf(request->url, sizeof request->url, "%s",
             *board->check.url ? board->check.url : config->url);
    snprintf(request->version, sizeof request->version, "%s", running_version(board));
    board->fetch.ended = on_end;
    return request;
}

static void ask_for_text(struct board *board, const char *suffix)
{
    struct fetch_request *request = begin_request(board, FETCH_TEXT);
    const size_t length = strlen(request->url);

    snprintf(request->url + length, sizeof request->url - length, "%s", suffix);
    fetch_begin(board);
}

static void ask_for_image(struct board *board)
{
    struct fetch_request *request = begin_request(board, FETCH_IMAGE);
    const bool goes_on = board->web.updater.is_running;
    const size_t piece = config_of(board)->piece, whole = board->check.whole;

    memcpy(request->md5, board->check.md5, sizeof board->check.md5);
    request->has_range = goes_on || whole > piece;
    request->first = goes_on ? board->upload.received : 0;
    request->last = SIZE_MAX;
    request->whole = whole;
    if (whole > request->first + piece)
        request->last = request->first + piece - 1;
    fetch_begin(board);
}

static void ask_for_size(struct board *board)
{
    begin_request(board, FETCH_SIZE);
    fetch_begin(board);
}

static void ask(void *owner)
{
    struct board *board = owner;
    const struct fetch_config *config = config_of(board);

    board->check.url[0] = board->check.md5[0] = '\0';
    if (config->fetcher->way == FETCHER_PIECES)
        ask_for_size(board);
    else if (has_manifest(board))
        ask_for_text(board, "");
    else if (config->fetcher->way == FETCHER_ESPHOME || config->has_sidecar)
        ask_for_text(board, ".md5");
    else
        ask_for_image(board);
}

/* -- the replies -- */

static bool take_digest(struct board *board)
{
    const struct fetch *fetch = &board->fetch;

    if (strspn(fetch->text, "0123456789abcdefABCDEF") != MD5_HEX)
        return false;
    memcpy(board->check.md5, fetch->text, MD5_HEX);
    board->check.md5[MD5_HEX] = '\0';
    return true;
}

/* The text of the first value with this key; enough for a manifest without escapes. */
static bool find_text(const char *json, const char *key, char *text, size_t room)
{
    char quoted[32];

    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *at = strstr(json, quoted);
    if (!at)
        return false;
    at += strlen(quoted) + strspn(at + strlen(quoted), " :");
    if (*at != '"')
        return false;
    const size_t length = strcspn(at + 1, "\"");
    if (length == 0 || length >= room)
        return false;
    memcpy(text, at + 1, length);
    text[length] = '\0';
    return true;
}

/* "ESP32-S3" for esp32s3. */
static void write_chip_family(const struct board *board, char name[16])
{
    const char *chip = esp_chip_name(board->sim->config->chip);

    if (board->sim->config->family.lineage != LINEAGE_ESP32)
        snprintf(name, 16, "%s", "ESP8266");
    else if (strcmp(chip, "esp32") == 0)
        snprintf(name, 16, "%s", "ESP32");
    else
        snprintf(name, 16, "ESP32-%c%.4s", chip[5] - 'a' + 'A', chip + 6);
}

/* Returns the library's error, "" if the version is the running one, or NULL. The path is a URL, or
 * begins with "/". */
static const char *take_manifest(struct board *board)
{
    const char *json = board->fetch.text, *url = config_of(board)->url;
    char name[16], path[128], quoted[24], text[64];

    write_chip_family(board, name);
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    const char *build = strstr(json, quoted);
    if (!find_text(json, "name", text, sizeof text) ||
        !find_text(json, "version", text, sizeof text) || !strstr(json, "\"builds\""))
        return "Manifest does not contain required fields";
    if (strcmp(text, running_version(board)) == 0)
        return "";
    if (!build || !find_text(build, "path", path, sizeof path) ||
        !find_text(build, "md5", board->check.md5, sizeof board->check.md5))
        return "Failed to parse manifest JSON";

    const size_t origin = *path == '/' ? 7 + strcspn(url + 7, "/") : 0;
    snprintf(board->check.url, sizeof board->check.url, "%.*s%s", (int)origin, url, path);
    return NULL;
}

static void take_text(struct board *board)
{
    const char *error = NULL;

    if (has_manifest(board))
        error = take_manifest(board);
    else if (!take_digest(board))
        error = "MD5 invalid";

    if (!error) {
        ask_for_image(board);
    } else if (*error) {
        fail(board, error);
    } else {
        board_event(board, "fetch result=none");
        end_look(board);
    }
}

static void on_end(struct board *board, enum fetch_end end, const char *reason)
{
    switch (end) {
    case FETCH_INSTALLED:
        install(board);
        break;
    case FETCH_UNCHANGED:
        board_event(board, "fetch result=none");
        end_look(board);
        break;
    case FETCH_TOLD:
        if (board->fetch.request.purpose == FETCH_TEXT) {
            take_text(board);
            break;
        }
        board->check.whole = board->fetch.size;
        ask_for_image(board);
        break;
    case FETCH_PART:
        ask_for_image(board);
        break;
    case FETCH_ANEW:
        updater_abort(board, reason);
        if (config_of(board)->fetcher->way == FETCHER_PIECES)
            fail(board, reason);
        else
            ask_for_image(board);
        break;
    case FETCH_FAILED:
        fail(board, reason);
        break;
    }
}

/* -- the life of the board -- */

void update_check_set_up(struct board *board)
{
    board->check.timer = (struct timer){.owner = board};
}

void update_check_start(struct board *board, int64_t wait_us)
{
    board->check.timer.expired = ask;
    timer_start(board->sim->loop, &board->check.timer, wait_us);
}

void update_check_leave(struct board *board)
{
    timer_stop(board->sim->loop, &board->check.timer);
    fetch_leave(board);
}

void update_check_abandon(struct board *board)
{
    timer_stop(board->sim->loop, &board->check.timer);
    fetch_abandon(board);
}
