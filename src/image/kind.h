/*
 * kind.h: which chips a board can have, as far as its announcement and its name tell. Pure.
 *
 * Sets of chips are text, "esp32s3" or "esp8266,rp2040": names of chips, separated by commas. One
 * that ends in "*" stands for every chip whose name begins like this. The empty set stands for any
 * chip, as the chip is unknown.
 */
#ifndef ESP_OTA_IMAGE_KIND_H
#define ESP_OTA_IMAGE_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KIND_CHIPS_MAX = 32, KIND_CLUE_MAX = 320 };

struct kind {
    char proven[KIND_CHIPS_MAX]; /* the board has one of these */
    char likely[KIND_CHIPS_MAX]; /* probably one of these; a part of proven */
    /* The evidence, escaped: "announces itself as \"nodemcuv2\""; "" without any. */
    char clue[KIND_CLUE_MAX];
};

/* Boards that share an update service and its default port. */
struct kind_family {
    const char *chips;
    uint16_t port;
    const char *title;       /* "ESP8266" */
    const char *port_source; /* which port it is, in words */
};

extern const struct kind_family kind_families[];
extern const size_t kind_family_count;

/* Whether a chip can be in both sets. */
bool kind_overlap(const char *chips, const char *other_chips);

/* From type, the board's board= ("esp32s3"), and from the names under which it announces itself and
 * was found; all as they came from outside, "" where nobody said. What board= proves counts more
 * than a name, which a copied sketch can bring along. Of names only the cores' default ones
 * ("esp8266-a1b2c3") prove anything; those of the SDKs ("ESP-A1B2C3") make it likely. */
void kind_find(struct kind *kind, const char *type, const char *const names[], size_t count);

#endif
