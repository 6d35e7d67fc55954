/*
 * page_table.c: the rows. Where a page's words differ between versions, all of them are here. Where
 * a page answers in the language of its firmware, the words are code that each language has.
 */
#include "upload/web/page_table.h"

#include "base/text.h"
#include "http/status.h"

#include <string.h>

#define FIRMWARE "firmware.bin"
#define FILESYSTEM "filesystem.bin"

/* What the authors of sketches say of a failure. */
#define SKETCH_FAILURE                                                                             \
    {                                                                                              \
        "fail", "error", "invalid", "not enough"                                                   \
    }

/* On a Pico W, the page esp8266 also says "Update Success" if the updater failed without an error,
 * as older ones do when the filesystem is full (arduino-pico, HTTPUpdateServer-impl.h and
 * Updater.cpp; its issue 2785). */
const struct page pages[PAGE_COUNT] = {
    [PAGE_ESP8266] = {.name = "esp8266",
                      .title = "ESP8266HTTPUpdateServer",
                      .get = "/update",
                      .sketch_field = "firmware",
                      .sketch_filename = FIRMWARE,
                      .filesystem_field = "filesystem",
                      .filesystem_filename = FILESYSTEM,
                      .user = "admin",
                      .chips = "esp8266,rp*",
                      .packed_chips = "esp8266,rp*",
                      .received_chips = "rp*",
                      .success = {"Update Success"},
                      .failure = {"Update error"},
                      .restart_ms = 2500},
    [PAGE_ESP32] = {.name = "esp32",
                    .title = "HTTPUpdateServer of the ESP32",
                    .get = "/update",
                    .sketch_field = "firmware",
                    .sketch_filename = FIRMWARE,
                    .filesystem_field = "filesystem",
                    .filesystem_filename = FILESYSTEM,
                    .user = "admin",
                    .chips = "esp32*",
                    .success = {"Update Success"},
                    .failure = {"Update error"},
                    .restart_ms = 2500},
    [PAGE_WEBUPDATER] = {.name = "webupdater",
                         .title = "OTAWebUpdater or WebUpdate",
                         .get = "/",
                         .post = "/update",
                         .size_query = "?size=",
                         .sketch_field = "update",
                         .sketch_filename = FIRMWARE,
                         .user = "admin",
                         .chips = "",
                         .proof = PAGE_PROOF_RECEIVED,
                         .success_status = STATUS_TEMPORARY_REDIRECT,
                         .success = {"OK", "Success"},
                         .failure = SKETCH_FAILURE,
                         .may_append_before = PAGE_EVER,
                         .restart_ms = 2500},
    [PAGE_ELEGANTOTA] = {.name = "elegantota",
                         .title = "ElegantOTA",
                         .get = "/update",
                         .post = "/ota/upload",
                         .sketch_field = "firmware",
                         .sketch_filename = "firmware",
                         .filesystem_field = "filesystem",
                         .filesystem_filename = "filesystem",
                         .user = "admin",
                         .chips = "",
                         .packed_chips = "esp8266,rp*",
                         .start = PAGE_START_ELEGANTOTA,
                         .proof = PAGE_PROOF_RECEIVED,
                         .success = {"OK", "Update Success"},
                         .failure = {"FAIL", "ERROR[", "Update error"},
                         .writes_first = true,
                         .may_append_before = PAGE_EVER,
                         .restart_ms = 4000},
    [PAGE_ASYNC_UPDATER] = {.name = "asyncupdate",
                            .title = "ESPAsyncHTTPUpdateServer",
                            .get = "/update",
                            .sketch_query = "?name=firmware",
                            .sketch_field = "firmware",
                            .sketch_filename = FIRMWARE,
                            .filesystem_field = "filesystem",
                            .filesystem_filename = FILESYSTEM,
                            .filesystem_query = "?name=filesystem",
                            .user = "admin",
                            .chips = "esp8266,esp32*",
                            .packed_chips = "esp8266",
                            .proof = PAGE_PROOF_RECEIVED,
                            .success = {"Update Success"},
                            .failure = {"Update error", "Update aborted"},
                            .drops_next = true,
                            .restart_ms = 3000},
    [PAGE_ASYNC] = {.name = "async",
                    .title = "form on ESPAsyncWebServer",
                    .get = "/update",
                    .sketch_field = "update",
                    .sketch_filename = FIRMWARE,
                    .user = "admin",
                    .chips = "",
                    .packed_chips = "esp8266",
                    .proof = PAGE_PROOF_RECEIVED,
                    .failure = SKETCH_FAILURE,
                    .is_generic = true,
                    .may_append_before = PAGE_EVER,
                    .restart_ms = 3000},
    [PAGE_TASMOTA] = {.name = "tasmota",
                      .title = "Tasmota",
                      .get = "/up",
                      .post = "/u2",
                      .size_query = "?fsz=",
                      .sketch_field = "u2",
                      .sketch_filename = FIRMWARE,
                      .user = "admin",
                      .chips = "esp8266,esp32*",
                      .packed_chips = "esp8266",
                      .start = PAGE_START_TASMOTA,
                      .success = {"location.href='.'", "location.href=\".\"", "Successful"},
                      .failure = {">Failed<"},
                      .writes_first = true,
                      .is_worded = true,
                      .restart_ms = 3000},
    [PAGE_WLED] = {.name = "wled",
                   .title = "WLED",
                   .get = "/update",
                   .post = "/update",
                   .sketch_field = "update",
                   .sketch_filename = FIRMWARE,
                   .user = "",
                   .chips = "esp8266,esp32*",
                   .packed_chips = "esp8266",
                   .pin_path = "/json/state",
                   .success = {"Update successful"},
                   .failure = {"Update failed", "Please unlock", "Access Denied"},
                   .may_append_before = 16,
                   .restart_path = "/reset",
                   .restart_ms = 3000},
    [PAGE_ESPHOME] = {.name = "esphome",
                      .title = "ESPHome's web server",
                      .get = "/",
                      .post = "/update",
                      .sketch_field = "file",
                      .sketch_filename = FIRMWARE,
                      .user = "admin",
                      .chips = "",
                      .is_announced = true,
                      .takes_uf2 = true,
                      .packed_chips = "esp8266",
                      .success = {"Update Successful"},
                      .failure = {"Update Failed"},
                      .appends = true,
                      .restart_ms = 2000},
    [PAGE_ESPURNA] = {.name = "espurna",
                      .title = "ESPurna",
                      .get = "/",
                      .post = "/upgrade",
                      .sketch_field = "filename",
                      .sketch_filename = FIRMWARE,
                      .user = "admin",
                      .chips = "esp8266",
                      .packed_chips = "esp8266",
                      .success = {"OK", "Rebooting"},
                      .failure = {"ERROR"},
                      .restart_ms = 4000},
    [PAGE_SAFEBOOT] = {.name = "safeboot",
                       .title = "MycilaSafeBoot",
                       .get = "/chipspecs",
                       .post = "/",
                       .sketch_field = "firmware",
                       .sketch_filename = FIRMWARE,
                       .filesystem_field = "filesystem",
                       .filesystem_filename = FILESYSTEM,
                       .filesystem_query = "?mode=1",
                       .user = "admin",
                       .chips = "esp32*",
                       .success = {"Update Success"},
                       .failure = {"Update error"},
                       .restart_ms = 3000},
    [PAGE_WIFIMANAGER] = {.name = "wifimanager",
                          .title = "WiFiManager",
                          .get = "/update",
                          .post = "/u",
                          .sketch_field = "update",
                          .sketch_filename = FIRMWARE,
                          .user = "admin",
                          .chips = "",
                          .packed_chips = "esp8266",
                          .success = {"<div class='msg S'>"},
                          .failure = {"<div class='msg D'>"},
                          .restart_ms = 3500},
    [PAGE_FORM] = {.name = "form",
                   .title = "page with one file input",
                   .get = "/",
                   .sketch_field = "update",
                   .sketch_filename = FIRMWARE,
                   .user = "admin",
                   .chips = "",
                   .packed_chips = "esp8266",
                   .proof = PAGE_PROOF_RECEIVED,
                   .failure = SKETCH_FAILURE,
                   .is_generic = true,
                   .may_append_before = PAGE_EVER,
                   .restart_ms = 4000},
};

const struct page *page_table_find(const char *name)
{
    for (size_t i = 0; i < PAGE_COUNT; i++)
        if (strcmp(pages[i].name, name) == 0)
            return &pages[i];
    return NULL;
}

bool page_may_append(const struct page *page, const char *version)
{
    const unsigned before = page->may_append_before;
    const char *end;
    uint64_t major;

    if (before == 0 || before == PAGE_EVER || !parse_decimal(version, UINT32_MAX, &major, &end))
        return before != 0;
    return major < before;
}

const char *page_table_list(char *text, size_t capacity)
{
    *text = '\0';
    for (size_t i = 0; i < PAGE_COUNT; i++)
        text_append(text, capacity, "%s%s", text_separator(i, PAGE_COUNT, " and "), pages[i].name);
    return text;
}
