/*
 * fetcher.h: who asks for firmware, and what it says of itself, by the headers of one HTTP request.
 * Pure.
 *
 * ESP8266httpUpdate, HTTPUpdate (ESP32) and HTTPUpdate (Pico) send headers that begin with
 * "x-ESP8266-", "x-ESP32-" or "x-Pico-", and a User-Agent. ESP-IDF's HTTP client sends only the
 * latter, and other clients send neither. Nothing of it is proven.
 */
#ifndef ESP_OTA_SERVE_FETCHER_H
#define ESP_OTA_SERVE_FETCHER_H

#include "crypto/digest.h"
#include "image/inspect.h"
#include "serve/mac.h"

#include <stdbool.h>
#include <stdint.h>

enum { FETCHER_VERSION_MAX = 128 };

/* What an update library asks for. */
enum fetcher_mode {
    FETCHER_UNSAID, /* whatever the URL names */
    FETCHER_SKETCH,
    FETCHER_FILESYSTEM,
    FETCHER_VERSION, /* no image, but the version of ours */
    FETCHER_OTHER_MODE
};

struct fetcher {
    unsigned family; /* INSPECT_FAMILY_...; 0: unknown */
    enum fetcher_mode mode;
    enum inspect_format filesystem; /* that the mode names; INSPECT_UNKNOWN: any */
    bool wants_packed;              /* the URL, not a header, names the compressed form */
    bool has_mac, has_md5, has_sha256, has_version, has_free_space;
    bool is_base_mac; /* mac is the chip's, as that of no station interface has come */
    struct mac mac;   /* of its station interface */
    /* Of the running sketch, in lower case: of its bytes as the header of the image bounds them. */
    char md5[DIGEST_MD5_HEX + 1];
    char sha256[DIGEST_SHA256_HEX + 1]; /* the same; see esp_partition_get_sha256() of ESP-IDF */
    char version[FETCHER_VERSION_MAX]; /* as sent, not escaped; what the sketch calls its version */
    uint64_t free_space;               /* bytes for a new sketch */
};

/* Learns from one header of the request; *fetcher is all zero before the first. Names of headers
 * are compared without regard to case. Ignores unknown headers, and values in another form than the
 * libraries send. Of two headers with one name, and of two families, the first counts. A version
 * that is too long is no version. */
void fetcher_read_header(struct fetcher *fetcher, const char *name, const char *value);

/* "ESP8266", "ESP32", "Pico W"; "" for an unknown family. */
const char *fetcher_family_name(unsigned family);

/* Whether boards of this family unpack a compressed sketch. */
bool fetcher_unpacks(const struct fetcher *fetcher);

#endif
