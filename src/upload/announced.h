/*
 * announced.h: what a board with ESPHome announces of its firmware, and what an image says of
 * itself. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ANNOUNCED_H
#define ESP_OTA_UPLOAD_ANNOUNCED_H

#include "discovery/esphome_record.h"
#include "image/inspect.h"

#include <stdbool.h>

/* All texts are escaped, and "" where nothing is known. */
struct announced {
    struct inspect_esphome esphome; /* the same facts as an image has */
    char config_hash[INSPECT_ESPHOME_MAX];
};

enum { ANNOUNCED_TEXT_MAX = 600, ANNOUNCED_MESSAGE_MAX = 2 * ANNOUNCED_TEXT_MAX + 64 };

void announced_read(struct announced *announced, const struct esphome_record *record);

/* "ESPHome 2026.9.0, project acme.lamp 1.3"; "" if the version is unknown. Returns text. */
const char *announced_describe_image(char text[ANNOUNCED_TEXT_MAX],
                                     const struct inspect_esphome *image);
/* The same, with ", configuration 1a2b3c4d" if the board announces that. */
const char *announced_describe(char text[ANNOUNCED_TEXT_MAX], const struct announced *announced);

/* What the upload would replace, as far as known: "the image is ESPHome 2026.9.0; the board
 * announces ESPHome 2026.8.0"; "" if nothing is. Returns message. */
const char *announced_compare(char message[ANNOUNCED_MESSAGE_MAX],
                              const struct esphome_record *board,
                              const struct inspect_esphome *image);

/* Whether the image says that it is of another project than the board announces. An image without a
 * project does not count as of another one. */
bool announced_is_other_project(const struct announced *announced,
                                const struct inspect_esphome *image);
/* Whether a board that runs the image may announce this; true for an image that says nothing. */
bool announced_fits_image(const struct announced *announced, const struct inspect_esphome *image);
bool announced_equals(const struct announced *one, const struct announced *other);

#endif
