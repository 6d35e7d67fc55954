/*
 * kind.h: the chips that a board can have, according to its announcement and its name. Pure.
 *
 * A set of chips is text: names of chips, separated by commas ("esp32s3", "esp8266,rp2040"). An
 * element may end in "*" and then stands for every chip with this beginning ("esp32*"). The empty
 * set stands for any chip, as the chip is unknown.
 */
#ifndef ESP_OTA_IMAGE_KIND_H
#define ESP_OTA_IMAGE_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KIND_CHIPS_MAX = 32, KIND_CLUE_MAX = 320 };

struct kind {
    char proven[KIND_CHIPS_MAX]; /* the board has one of these */
    char likely[KIND_CHIPS_MAX]; /* the board probably has one of these; a subset of proven */
    /* The evidence, escaped: "announces itself as \"nodemcuv2\""; "" if there is none. */
    char clue[KIND_CLUE_MAX];
};

/* The ports at which boards take uploads from their cores' own tools. Other protocols use the same
 * numbers, so that a port says something of the chip. */
enum { KIND_PORT_ESP8266 = 8266, KIND_PORT_ESP32 = 3232, KIND_PORT_PICO = 2040 };
/* The same ones for people: to check -p by, and to choose it by. */
#define KIND_PORTS "ESP8266 8266, ESP32 3232, Pico W 2040"
#define KIND_ADD_PORT "add -p 3232 for an ESP32, -p 8266 for an ESP8266 or -p 2040 for a Pico W"

/* Boards that share an update service and its default port. */
struct kind_family {
    const char *chips;
    uint16_t port;
    const char *title; /* "ESP8266" */
};

extern const struct kind_family kind_families[];
extern const size_t kind_family_count;

/* Whether some chip is in both sets. */
bool kind_overlap(const char *chips, const char *other_chips);

/* Writes " (esp8266 or rp2040)" for people; "" if only the family is known, as what shows it shows
 * the family, too. */
void kind_list_chips(char *text, size_t capacity, const char *chips);

/* Finds the chips by type, the announced board= ("esp32s3"), and by the names under which the board
 * announces itself and was found. All texts are those from outside, unescaped; "" if unknown.
 * board= counts more than a name, as a name can come with a copied sketch. Only the default names
 * of the cores ("esp8266-a1b2c3") are proof; those of the SDKs ("ESP-A1B2C3") are a hint. */
void kind_find(struct kind *kind, const char *type, const char *const names[], size_t count);

/* Adds what the platform of an ESPHome board, as announced ("ESP32"), tells of its chip, unless
 * that is proven already. It stands for any chip of its family. */
void kind_add_platform(struct kind *kind, const char *platform);

#endif
