/*
 * image_fit.h: whether an image suits its command and its board. Pure: the caller warns, rejects
 * the image, or applies --force.
 */
#ifndef ESP_OTA_IMAGE_IMAGE_FIT_H
#define ESP_OTA_IMAGE_IMAGE_FIT_H

#include "esp-ota/command.h"
#include "image/image.h"
#include "image/kind.h"

#include <stdint.h>

enum image_fit {
    IMAGE_FIT_SUITS,    /* no objection; reason is "" */
    IMAGE_FIT_DOUBTFUL, /* worth a warning */
    IMAGE_FIT_REFUSED,  /* the image cannot work */
};

enum { IMAGE_FIT_REASON_MAX = 768 };

/* What follows the reason against an image that is refused, or is sent because of --force. It also
 * holds where nothing is sent (--check, --dry-run) or boards fetch the image. */
const char *image_fit_override(bool is_forced);

/* Judges the image by its bytes alone. is_served: boards fetch it; otherwise it is uploaded. reason
 * continues a sentence that begins with the file's name: "should not be sent: ..."; it is
 * printable. */
enum image_fit image_fit_image(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                               enum ota_command command, bool is_served);

/* Stores the chips that the image is for, as a set (kind.h). A damaged image has such a set, too,
 * as --force may send it. Returns chips. */
const char *image_fit_chips(char chips[KIND_CHIPS_MAX], const struct image *image);

/* Compares the image with the board. port: the board's UDP port if it was given or announced, 0 for
 * a guess. An image is rejected if it is for none of the chips that the board can have. The default
 * port of other boards, or a name without proof, only makes an image doubtful, but is enough to
 * reject a compressed filesystem image. reason is a printable sentence about the expected
 * outcome. */
enum image_fit image_fit_board(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                               const struct kind *kind, uint16_t port);

/* Compares the image with a board that sent a long challenge (SHA-256): it is an ESP32. A short
 * challenge (MD5) proves nothing, as older ESP32 cores send it, too. */
enum image_fit image_fit_sha256_challenge(char reason[IMAGE_FIT_REASON_MAX],
                                          const struct image *image);

/* Compares the image with a board that has JAndrassy's sketch server. Only on an ESP8266 or ESP32,
 * this server has a path for filesystem images. */
enum image_fit image_fit_sketch_server(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                                       bool takes_filesystem);

/* Returns the image, or its for_esp32 (image.h) if the board is an ESP32. The board's kind decides,
 * else the port that was given or announced (0: a guess). NULL if neither decides. */
const struct image *image_fit_variant(const struct image *image, const struct kind *kind,
                                      uint16_t port);

#endif
