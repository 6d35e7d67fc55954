/*
 * image_fit.h: whether an image suits its command and its board. Pure: the caller warns, refuses, or
 * applies --force.
 */
#ifndef ESP_OTA_IMAGE_IMAGE_FIT_H
#define ESP_OTA_IMAGE_IMAGE_FIT_H

#include "image/image.h"
#include "image/kind.h"

enum image_fit {
    IMAGE_FIT_SUITS,    /* nothing speaks against it; reason is "" */
    IMAGE_FIT_DOUBTFUL, /* worth a warning */
    IMAGE_FIT_REFUSED,  /* it cannot work */
};

enum { IMAGE_FIT_REASON_MAX = 768 };

/* From the bytes of the image alone. reason goes on from the file's name: "cannot be sent: ...";
 * it is printable. */
enum image_fit image_fit_image(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                               enum ota_command command);

/* The chips that the image is for, also where --force sends a damaged one: a set as in kind.h.
 * Returns chips. */
const char *image_fit_chips(char chips[KIND_CHIPS_MAX], const struct image *image);

/* Compares the image with the board. port: its UDP port if given or announced, 0 for a guess. An
 * image for none of the chips that the board can have is refused. The default port of other boards,
 * or a name that proves nothing, only makes the image doubtful. reason is a printable sentence that
 * says what would happen. */
enum image_fit image_fit_board(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                               const struct kind *kind, uint16_t port);

/* Against a board that sends the long challenge of SHA-256: only an ESP32 does. The short one of
 * MD5 proves nothing, as older ESP32 cores send it, too. */
enum image_fit image_fit_sha256_challenge(char reason[IMAGE_FIT_REASON_MAX],
                                          const struct image *image);

/* The image, or what was signed in its place for an ESP32 (image.h: for_esp32), as the board's kind
 * tells, else the port that was given or announced (0: a guess); NULL when neither does. */
const struct image *image_fit_variant(const struct image *image, const struct kind *kind,
                                      uint16_t port);

#endif
