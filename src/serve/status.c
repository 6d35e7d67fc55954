/*
 * status.c: what the server knows, as JSON: for programs, and for ESPHome's http_request.
 */
#include "base/escape.h"
#include "base/json_memory.h"
#include "base/units.h"
#include "serve/serve_internal.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SHOWN = 1024, CHIP_MAX = 32 };

static json_t *known_string(bool is_known, const char *text)
{
    return is_known ? json_string(text) : json_null();
}

static const char *status_state_name(enum book_state state)
{
    static const char *const names[BOOK_STATES] = {
        [BOOK_SILENT] = "silent",     [BOOK_ASKED] = "asked",     [BOOK_REFUSED] = "refused",
        [BOOK_FETCHING] = "fetching", [BOOK_FETCHED] = "fetched", [BOOK_CONFIRMED] = "confirmed",
        [BOOK_GIVEN_UP] = "given-up", [BOOK_SKIPPED] = "skipped",
    };
    return names[state];
}

static json_t *board_fields(const struct book_board *board, int64_t now_us)
{
    char mac[MAC_TEXT_MAX] = "", address[ADDRESS_TEXT_MAX] = "";
    json_t *fields = json_object();

    if (board->has_mac)
        mac_text(mac, &board->mac);
    if (board->has_address)
        address_text(address, &board->address);
    json_object_set_new(fields, "board", json_string(board->name));
    json_object_set_new(fields, "mac", known_string(board->has_mac, mac));
    json_object_set_new(fields, "address", known_string(board->has_address, address));
    json_object_set_new(fields, "family",
                        known_string(board->family, fetcher_family_name(board->family)));
    json_object_set_new(fields, "version", known_string(*board->version, board->version));
    json_object_set_new(fields, "state", json_string(status_state_name(board->state)));
    json_object_set_new(fields, "reason", known_string(*board->reason, board->reason));
    json_object_set_new(fields, "canary", json_boolean(board->is_canary));
    json_object_set_new(fields, "listed", json_boolean(board->is_listed));
    json_object_set_new(fields, "failures", json_integer(board->failures));
    json_object_set_new(fields, "requests", json_integer(board->requests));
    json_object_set_new(fields, "bytes", json_integer((json_int_t)board->bytes));
    json_object_set_new(fields, "total", json_integer((json_int_t)board->total));
    json_object_set_new(fields, "asked_seconds_ago",
                        board->asked_us ? json_integer((now_us - board->asked_us) / SECONDS(1))
                                        : json_null());
    return fields;
}

static json_t *offer_fields(const struct offer *offer)
{
    const struct offer_bytes *plain = &offer->forms[OFFER_PLAIN];
    char name[NAME_SHOWN];

    escape_string(name, sizeof name, offer->name);
    return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s?}", "file", name, "size",
                     (json_int_t)plain->size, "md5", plain->md5, "sha256", plain->sha256, "name",
                     plain->inspection->name, "version", offer->version);
}

/* NULL if memory has run out since json_memory_watch(), as fields may be missing then. */
static char *dump_json(json_t *fields)
{
    char *text = json_dumps(fields, JSON_INDENT(1));

    json_decref(fields);
    if (json_memory_has_run_out()) {
        free(text);
        return NULL;
    }
    return text;
}

char *serve_status_json(struct serve *serve)
{
    const struct book *book = serve->config.book;
    const int64_t now_us = loop_now_us();

    json_memory_watch();
    json_t *images = json_array(), *boards = json_array(), *fields = json_object();
    for (size_t i = 0; i < serve->config.offer_count; i++)
        json_array_append_new(images, offer_fields(&serve->config.offers[i]));
    for (size_t i = 0; i < book->count; i++)
        json_array_append_new(boards, board_fields(book->boards[i], now_us));
    json_object_set_new(fields, "version", json_string(ESP_OTA_VERSION));
    json_object_set_new(fields, "seconds", json_integer((now_us - serve->started_us) / SECONDS(1)));
    json_object_set_new(fields, "images", images);
    json_object_set_new(fields, "boards", boards);
    return dump_json(fields);
}

/* As ESPHome writes them: "ESP8266", "ESP32", "ESP32-C3". */
static const char *chip_family(char target[CHIP_MAX], const struct inspection *inspection)
{
    static const char esp32[] = "ESP32";
    size_t length = 0;

    for (const char *c = inspection->chip_name; *c && length < CHIP_MAX - 2; c++) {
        target[length++] = (char)toupper((unsigned char)*c);
        if (length == strlen(esp32) && memcmp(target, esp32, length) == 0 && c[1] != '\0')
            target[length++] = '-';
    }
    target[length] = '\0';
    return target;
}

static const char *offer_version(const struct offer *offer)
{
    const struct inspection *inspection = offer->forms[OFFER_PLAIN].inspection;

    if (offer->version)
        return offer->version;
    if (inspection->has_application && *inspection->application.version)
        return inspection->application.version;
    return offer->forms[OFFER_PLAIN].md5;
}

char *serve_manifest_json(const struct offer *offer)
{
    const struct offer_bytes *plain = &offer->forms[OFFER_PLAIN];
    char name[NAME_SHOWN], chip[CHIP_MAX];

    escape_string(name, sizeof name, offer->name);
    json_memory_watch();
    return dump_json(json_pack("{s:s, s:s, s:[{s:s, s:{s:s, s:s}}]}", "name", name, "version",
                               offer_version(offer), "builds", "chipFamily",
                               chip_family(chip, plain->inspection), "ota", "path",
                               RESOURCE_FIRMWARE, "md5", plain->md5));
}
