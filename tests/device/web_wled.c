/* WLED: no password, but an OTA lock and a PIN. From version 16 an image must be of the same
 * release, which stands in its metadata, unless the form says skipValidation=1 before the file.
 * Version 2 of the metadata also has the version that must be there to install it
 * (wled00/wled_metadata.cpp). */
#include "board.h"
#include "web_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION_LENGTH = 48, RELEASE_LENGTH = 48, HASH_LENGTH = 4, SAFE_LENGTH = 3 };
enum { SEARCHED = 512, FORMAT_AT = 4, FIXED_PART = 8 };
enum { OFFSET_8266 = 0x1000, OFFSET_ESP32 = 256 };

static const char metadata_magic[] = {'S', 'T', 'S', 'W'};

static const int64_t PIN_REST_US = 3000000, RESET_US = 450000;

#define PROCEED " Enable 'Ignore firmware validation' to proceed anyway."

static const struct web_config *settings_of(const struct web_client *client)
{
    return &client->board->sim->config->web;
}

static bool is_esp32(const struct web_client *client)
{
    return client->board->sim->config->family.lineage == LINEAGE_ESP32;
}

static const char *release_of(const struct web_client *client)
{
    const char *release = settings_of(client)->release;
    if (!release)
        release = is_esp32(client) ? "ESP32" : "ESP8266";
    return release;
}

static bool is_old(const struct web_client *client)
{
    return settings_of(client)->page->hooks == &wled_old_hooks;
}

static bool wants_pin(const struct web_client *client)
{
    return settings_of(client)->pin && !client->board->web.is_unlocked;
}

static void say_locked(struct web_client *client)
{
    page_say(client, 401, "text/html", NULL,
             "<html><body><h2>Access Denied</h2>"
             "Please unlock OTA in security settings!</body></html>");
}

/* The upload alone is refused, not the page (wled00/wled_server.cpp of 16.0). */
static bool is_fenced_off(const struct web_client *client)
{
    return settings_of(client)->is_fenced && !settings_of(client)->pin;
}

static void say_fenced_off(struct web_client *client)
{
    page_say(client, 401, "text/html", NULL,
             "<html><body><h2>Access Denied</h2>Client is not on local subnet.</body></html>");
}

/* The status of the page is 401 in newer versions, 200 in older ones (wled00/wled_server.cpp). */
static void say_pin(struct web_client *client)
{
    page_say(client, is_old(client) ? 200 : 401, "text/html", NULL,
             "<html><head><title>PIN required</title></head><body><form method='POST'>"
             "<input type='password' name='PIN' maxlength='4'></form></body></html>");
}

static void say_info(struct web_client *client)
{
    char mac[HEX_ROOM];

    page_say(client, 200, "application/json", NULL,
             "{\"ver\":\"%s\",\"vid\":%d,\"release\":\"%s\",\"arch\":\"%s\",\"uptime\":%lld,"
             "\"brand\":\"WLED\",\"product\":\"FOSS\",\"mac\":\"%s\"}",
             page_version(client->board), client->board->telnet.is_new ? 2611200 : 2412100,
             release_of(client), is_esp32(client) ? "esp32" : "esp8266",
             (long long)((now_us() - client->board->born_us) / 1000000),
             page_mac(client->board, mac));
}

/* Wants neither PIN nor unlocked OTA (wled00/wled_server.cpp); reset() then waits for 450 ms. */
static void reset(struct web_client *client)
{
    if (!settings_of(client)->ignores_reset)
        client->restart_after_us = RESET_US;
    page_say(client, 200, "text/html", NULL,
             "<html><body><h2>Rebooting now...</h2>Please wait ~10 seconds...</body></html>");
}

static bool wled_begins(struct web_client *client)
{
    if (strcmp(client->request.method, "GET") != 0)
        return true;
    if (strcmp(client->request.path, "/json/info") == 0)
        say_info(client);
    else if (strcmp(client->request.path, "/reset") == 0)
        reset(client);
    else if (strcmp(client->request.path, "/update") != 0)
        return true;
    else if (settings_of(client)->is_locked)
        say_locked(client);
    else if (wants_pin(client))
        say_pin(client);
    else
        page_say(client, 200, "text/html", NULL,
                 "<html><head><title>WLED Update</title></head><body><form method='POST' "
                 "action='./update' enctype='multipart/form-data'>"
                 "<input type='file' name='update'></form></body></html>");
    return false;
}

static void wled_field(struct web_client *client, const char *name, const char *value)
{
    if (strcmp(name, "skipValidation") == 0)
        client->skips_validation = strcmp(value, "1") == 0;
}

static bool may_update(const struct web_client *client)
{
    return !is_fenced_off(client) && !settings_of(client)->is_locked && !wants_pin(client);
}

/* The size is that of the whole request. */
static bool wled_file_begins(struct web_client *client, const struct form_part *part)
{
    (void)part;
    client->writes = may_update(client);
    if (client->writes)
        updater_begin(client->board, (size_t)client->request.length, false, NULL);
    return false;
}

/* Finds the metadata in the first bytes of the image. NULL if there is none. */
static const uint8_t *find_metadata(const struct web_client *client)
{
    const uint8_t *at =
        memmem(client->start, client->start_length, metadata_magic, sizeof metadata_magic);
    size_t needed = FIXED_PART + VERSION_LENGTH + RELEASE_LENGTH + HASH_LENGTH + SAFE_LENGTH;

    if (!at || client->start_length - (size_t)(at - client->start) < needed)
        return NULL;
    return at;
}

/* Builds with different versions of ESP-IDF are of one release. */
static size_t release_length(const char *release)
{
    static const char old[] = "_V4";
    size_t length = strnlen(release, RELEASE_LENGTH);

    if (length >= sizeof old - 1 &&
        memcmp(release + length - (sizeof old - 1), old, sizeof old - 1) == 0)
        length -= sizeof old - 1;
    return length;
}

static bool is_same_release(const char *one, const char *other)
{
    size_t length = release_length(one);

    return length == release_length(other) && memcmp(one, other, length) == 0;
}

/* The three numbers of the version that must be there, in the metadata. */
static const uint8_t *safe_version(const uint8_t *metadata)
{
    return metadata + FIXED_PART + VERSION_LENGTH + RELEASE_LENGTH + HASH_LENGTH;
}

/* Whether the running version is as new as the metadata demand. */
static bool is_new_enough(const struct web_client *client, const uint8_t *metadata)
{
    const uint8_t *safe = safe_version(metadata);
    const char *version = page_version(client->board);

    for (size_t i = 0; metadata[FORMAT_AT] > 1 && i < SAFE_LENGTH; i++) {
        char *end;
        long number = strtol(version, &end, 10);

        if (number != safe[i])
            return number > safe[i];
        version = *end == '.' ? end + 1 : end;
    }
    return true;
}

static void object_to_version(const struct web_client *client, const uint8_t *metadata,
                              char text[UPLOAD_OBJECTION])
{
    const uint8_t *safe = safe_version(metadata);

    snprintf(
        text, UPLOAD_OBJECTION,
        "Cannot update from this version: requires at least %u.%u.%u, current='%.20s'." PROCEED,
        safe[0], safe[1], safe[2], page_version(client->board));
}

static void check_metadata(struct web_client *client)
{
    char text[UPLOAD_OBJECTION];
    const uint8_t *metadata = find_metadata(client);
    const char *release = metadata ? (const char *)metadata + FIXED_PART + VERSION_LENGTH : NULL;

    client->skips_validation = true;
    if (!release)
        snprintf(text, sizeof text,
                 "This firmware file is missing compatibility metadata." PROCEED);
    else if (!is_same_release(release, release_of(client)))
        snprintf(text, sizeof text,
                 "Firmware release name mismatch: current='%.20s', uploaded='%.20s'." PROCEED,
                 release_of(client), release);
    else if (!is_new_enough(client, metadata))
        object_to_version(client, metadata, text);
    else
        return;
    updater_fail(client->board, text);
}

static void wled_file_data(struct web_client *client, const void *bytes, size_t length)
{
    size_t wanted = (is_esp32(client) ? OFFSET_ESP32 : OFFSET_8266) + (size_t)SEARCHED;
    size_t room = sizeof client->start - client->start_length;
    size_t kept = length < room ? length : room;

    if (client->skips_validation || !client->board->web.updater.is_running)
        return;
    memcpy(client->start + client->start_length, bytes, kept);
    client->start_length += kept;
    if (client->start_length >= wanted)
        check_metadata(client);
}

static void wled_file_ends(struct web_client *client)
{
    if (!client->skips_validation && client->board->web.updater.is_running)
        updater_fail(client->board, "Release check data never arrived?");
}

/* A wrong PIN locks the board again, and for some seconds every PIN is ignored. */
static void check_pin(struct web_client *client)
{
    static const char key[] = "{\"pin\":\"";
    struct web *web = &client->board->web;
    const char *pin = settings_of(client)->pin;

    if (!pin || strncmp(client->plain, key, sizeof key - 1) != 0)
        return;
    if (!web->is_unlocked && web->pin_us && now_us() - web->pin_us < PIN_REST_US)
        return;
    web->is_unlocked = strncmp(client->plain + sizeof key - 1, pin, strlen(pin)) == 0;
    web->pin_us = now_us();
    board_event(client->board, "pin right=%s", web->is_unlocked ? "yes" : "no");
}

static bool is_command(const struct web_client *client)
{
    return strcmp(client->request.path, "/json/state") == 0 &&
           strcmp(client->request.content_type, "application/json") == 0;
}

static bool wled_finish(struct web_client *client)
{
    if (strcmp(client->request.method, "POST") != 0)
        return false;
    if (is_command(client)) {
        check_pin(client);
        page_say(client, 200, "application/json", NULL, "{\"success\":true}");
        return true;
    }
    if (strcmp(client->request.path, "/update") != 0 || may_update(client))
        return false;
    if (is_fenced_off(client))
        say_fenced_off(client);
    else if (settings_of(client)->is_locked)
        say_locked(client);
    else if (is_old(client))
        say_pin(client);
    else
        page_say(client, 401, "text/html", NULL,
                 "<html><body><h2>Access Denied</h2>"
                 "Please unlock settings using PIN code!</body></html>");
    return true;
}

const struct page_hooks wled_hooks = {.begins = wled_begins,
                                      .field = wled_field,
                                      .file_begins = wled_file_begins,
                                      .file_data = wled_file_data,
                                      .file_ends = wled_file_ends,
                                      .finish = wled_finish};

/* Versions before 16 begin with the free space, and look at no release. */
static bool wled_old_file_begins(struct web_client *client, const struct form_part *part)
{
    (void)part;
    client->writes = may_update(client);
    return client->writes;
}

const struct page_hooks wled_old_hooks = {
    .begins = wled_begins, .file_begins = wled_old_file_begins, .finish = wled_finish};
