/* From the sources: ESP8266httpUpdate (esp8266/Arduino), HTTPUpdate (arduino-esp32, arduino-pico),
 * their HTTPClient, esp_https_ota and esp_http_client (ESP-IDF), http_request (ESPHome). The
 * request of ESP8266httpUpdate and its reaction to each reply were also recorded. */
#include "fetcher.h"

#include <stdio.h>
#include <string.h>

static const char *const esp8266_request[] = {
    "%M %p HTTP/1.0",
    "Host: %h",
    "User-Agent: ESP8266-http-Update",
    "Connection: close",
    "Authorization: Basic %a",
    "x-ESP8266-Chip-ID: %c",
    "x-ESP8266-STA-MAC: %m",
    "x-ESP8266-AP-MAC: %n",
    "x-ESP8266-free-space: %f",
    "x-ESP8266-sketch-size: %s",
    "x-ESP8266-sketch-md5: %d",
    "x-ESP8266-chip-size: %z",
    "x-ESP8266-sdk-version: 2.2.2-dev(38a443e)",
    "x-ESP8266-mode: %o",
    "x-ESP8266-version: %v",
    "Content-Length: 0",
    NULL,
};

static const char *const esp32_request[] = {
    "%M %p HTTP/1.0",
    "Host: %h",
    "User-Agent: ESP32-http-Update",
    "Connection: close",
    "Authorization: Basic %a",
    "Cache-Control: no-cache",
    "x-ESP32-STA-MAC: %m",
    "x-ESP32-AP-MAC: %n",
    "x-ESP32-free-space: %f",
    "x-ESP32-sketch-size: %s",
    "x-ESP32-sketch-md5: %d",
    "x-ESP32-sketch-sha256: %D",
    "x-ESP32-chip-size: %z",
    "x-ESP32-sdk-version: v5.5.1",
    "x-ESP32-mode: %o",
    "x-ESP32-version: %v",
    NULL,
};

/* Of arduino-esp32 1.0, which did not know the MD5 of its sketch. */
static const char *const esp32_old_request[] = {
    "%M %p HTTP/1.0",
    "Host: %h",
    "User-Agent: ESP32-http-Update",
    "Connection: close",
    "Cache-Control: no-cache",
    "x-ESP32-STA-MAC: %m",
    "x-ESP32-AP-MAC: %n",
    "x-ESP32-free-space: %f",
    "x-ESP32-sketch-size: %s",
    "x-ESP32-sketch-sha256: %D",
    "x-ESP32-chip-size: %z",
    "x-ESP32-sdk-version: v3.2.3-14-gd3e562907",
    "x-ESP32-mode: %o",
    "x-ESP32-version: %v",
    NULL,
};

static const char *const esp32_side_request[] = {
    "%M %p HTTP/1.0",          "Host: %h", "User-Agent: ESP32-http-Update", "Connection: close",
    "Authorization: Basic %a", NULL,
};

static const char *const pico_request[] = {
    "%M %p HTTP/1.0",
    "Host: %h",
    "User-Agent: Pico-HTTP-Update",
    "Connection: close",
    "Authorization: Basic %a",
    "x-Pico-Chip-ID: %c",
    "x-Pico-STA-MAC: %m",
    "x-Pico-AP-MAC: %m",
    "x-Pico-Mode: %o",
    "x-Pico-Version: %v",
    NULL,
};

/* Of the first releases of arduino-pico with HTTPUpdate, which lack a name in each header. */
static const char *const pico_old_request[] = {
    "%M %p HTTP/1.0",
    "Host: %h",
    "User-Agent: -http-Update",
    "Connection: close",
    "Authorization: Basic %a",
    "x--Chip-ID: %c",
    "x--STA-MAC: %m",
    "x--AP-MAC: %m",
    "x--mode: %o",
    "x--version: %v",
    NULL,
};

static const char *const idf_request[] = {
    "%M %p HTTP/1.1", "User-Agent: ESP32 HTTP Client/1.0", "Host: %h",
    "Range: %r",      "Authorization: Basic %a",           NULL,
};

/* The ESP-IDF client of earlier releases sends Content-Length with every request. */
static const char *const idf_pieces_request[] = {
    "%M %p HTTP/1.1", "User-Agent: ESP32 HTTP Client/1.0", "Host: %h", "Content-Length: 0",
    "Range: %r",      "Authorization: Basic %a",           NULL,
};

static const char *const esphome_request[] = {
    "%M %p HTTP/1.1",
    "User-Agent: ESPHome/2026.9.0 (https://esphome.io)",
    "Host: %h",
    "Authorization: Basic %a",
    NULL,
};

/* On an ESP8266 and a Pico W, ESPHome uses the Arduino core's HTTPClient. */
static const char *const esphome_arduino_request[] = {
    "%M %p HTTP/1.1",
    "Host: %h",
    "User-Agent: ESPHome/2026.9.0 (https://esphome.io)",
    "Connection: keep-alive",
    "Accept-Encoding: identity;q=1,chunked;q=0.1,*;q=0",
    "Authorization: Basic %a",
    "Content-Length: 0",
    NULL,
};

/* clang-format off */
static const struct fetcher fetchers[] = {
    {
        .name = "esp8266", .help = "ESP8266httpUpdate", .way = FETCHER_ARDUINO,
        .request = esp8266_request, .side_request = esp8266_request, .beginnings = "\xe9\x1f",
        .reads_digests = true, .head_ms = 8000, .body_ms = 60000,
    },
    {
        .name = "esp32", .help = "HTTPUpdate of arduino-esp32", .way = FETCHER_ARDUINO,
        .request = esp32_request, .side_request = esp32_side_request, .beginnings = "\xe9",
        .reads_digests = true, .head_ms = 8000, .body_ms = 30000,
    },
    {
        .name = "esp32-old", .help = "the same of release 1.0, without the MD5 of the sketch",
        .way = FETCHER_ARDUINO, .request = esp32_old_request, .side_request = esp32_old_request,
        .beginnings = "\xe9", .reads_digests = true, .head_ms = 8000, .body_ms = 30000,
    },
    {
        .name = "pico", .help = "HTTPUpdate of arduino-pico", .way = FETCHER_ARDUINO,
        .request = pico_request, .side_request = pico_request,
        .reads_digests = true, .head_ms = 8000, .body_ms = 60000,
    },
    {
        .name = "pico-old", .help = "the same of early releases, whose headers lack a name",
        .way = FETCHER_ARDUINO, .request = pico_old_request, .side_request = pico_old_request,
        .reads_digests = true, .head_ms = 8000, .body_ms = 60000,
    },
    {
        .name = "idf", .help = "ESP-IDF's esp_https_ota; after a cut it asks for the rest",
        .way = FETCHER_IDF, .request = idf_request, .side_request = idf_request,
        .beginnings = "\xe9", .is_shy = true, .head_ms = 5000,
    },
    {
        .name = "idf-old", .help = "the same of early ESP-IDF 4; a short 401 hangs it",
        .way = FETCHER_IDF, .request = idf_pieces_request, .side_request = idf_pieces_request,
        .beginnings = "\xe9", .is_shy = true, .login_size = 289, .head_ms = 5000,
    },
    {
        .name = "idf-pieces", .help = "the same with partial_http_download: HEAD, then pieces",
        .way = FETCHER_PIECES, .request = idf_pieces_request, .side_request = idf_pieces_request,
        .beginnings = "\xe9", .is_shy = true, .head_ms = 5000,
    },
    {
        .name = "esphome", .help = "ESPHome's http_request, ESP32: URL.md5 and URL, or a manifest",
        .way = FETCHER_ESPHOME, .request = esphome_request, .side_request = esphome_request,
        .head_ms = 4500, .body_ms = 4500,
    },
    {
        .name = "esphome-arduino", .help = "the same on an ESP8266 or a Pico",
        .way = FETCHER_ESPHOME, .request = esphome_arduino_request,
        .side_request = esphome_arduino_request, .head_ms = 4500, .body_ms = 4500,
    },
};
/* clang-format on */

const struct fetcher *fetcher_find(const char *name)
{
    for (size_t i = 0; i < sizeof fetchers / sizeof fetchers[0]; i++)
        if (strcmp(fetchers[i].name, name) == 0)
            return &fetchers[i];
    return NULL;
}

void fetcher_help(void)
{
    for (size_t i = 0; i < sizeof fetchers / sizeof fetchers[0]; i++)
        printf("  %-17s %s\n", fetchers[i].name, fetchers[i].help);
}

/* -- what a status means -- */

static enum fetcher_meaning judge_arduino(unsigned status, const char **error)
{
    *error = "Wrong HTTP Code";
    switch (status) {
    case 200:
        return FETCHER_CONTENT;
    case 304:
        return FETCHER_UNCHANGED;
    case 401:
        *error = "Unauthorized (401)";
        break;
    case 403:
        *error = "Forbidden (403)";
        break;
    case 404:
        *error = "File Not Found (404)";
        break;
    default:
        break;
    }
    return FETCHER_ERROR;
}

static enum fetcher_meaning judge_idf(unsigned status, const char **error)
{
    *error = status >= 500 ? "Server error" : "Client error";
    switch (status) {
    case 200:
    case 206:
        return FETCHER_CONTENT;
    case 304:
        return FETCHER_UNCHANGED;
    case 401:
        return FETCHER_LOGIN;
    case 416:
        return FETCHER_AGAIN;
    case 403:
    case 404:
        *error = "File not found";
        break;
    default:
        break;
    }
    return FETCHER_ERROR;
}

enum fetcher_meaning fetcher_judge(const struct fetcher *fetcher, unsigned status,
                                   const char **error)
{
    switch (fetcher->way) {
    case FETCHER_ARDUINO:
        return judge_arduino(status, error);
    case FETCHER_IDF:
    case FETCHER_PIECES:
        return judge_idf(status, error);
    case FETCHER_ESPHOME:
        break;
    }
    *error = "HTTP Request failed";
    return status >= 200 && status < 300 ? FETCHER_CONTENT : FETCHER_ERROR;
}
