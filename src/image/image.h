/*
 * image.h: the firmware file. Read once, digested once, immutable afterwards and shared by all
 * sessions: what is hashed is what is sent, even if a build rewrites the file meanwhile.
 */
#ifndef ESP_OTA_IMAGE_IMAGE_H
#define ESP_OTA_IMAGE_IMAGE_H

#include "crypto/digest.h"
#include "esp-ota.h"
#include "image/inspect.h"

enum {
    IMAGE_SIZE_MIN = 16,               /* a 1-byte image crashes ESP32 boards; 16 bytes are safe */
    IMAGE_SIZE_MAX = 16 * 1024 * 1024, /* the default limit: the largest flash chip in the field */
    IMAGE_FLAW_MAX = 512,
};

/* The boards that an image is for. Unknown also when it suits several. */
enum image_family { IMAGE_UNKNOWN, IMAGE_ESP8266, IMAGE_ESP32, IMAGE_PICO };

struct image {
    char *path;     /* the file that was read: perhaps NAME.signed; "-": standard input */
    bool is_signed; /* NAME.signed was taken instead of NAME */
    /* Why it should not be: "cannot be sent: it is older ..."; printable, "" for no reason. */
    char flaw[IMAGE_FLAW_MAX];
    enum image_family family;
    struct inspection inspection; /* of the file */
    size_t file_size; /* what is sent (size, md5, data) may be compressed: image_prepare.h */
    char sha256[DIGEST_SHA256_HEX + 1]; /* of the file; empty before image_add_sha256() */
    size_t size;
    char md5[DIGEST_MD5_HEX + 1];
    unsigned char *data;
    /* Owned: the same with a signature for an ESP32, which others do not understand, while that of
     * this one is for them; NULL: one is for all boards that take it. */
    struct image *for_esp32;
    struct image *plain; /* owned: the same for boards that do not unpack; NULL: not compressed */
};

/* Reads path, or path.signed when that exists (as espota.py does) and may_be_signed, of at most
 * limit bytes. "-" is standard input, which nothing takes the place of; it is read to its end, and
 * waited for as input.h says. The caller frees the image with image_free().
 *
 * Fails with OTA_E_IMAGE (a sentence with the path, escaped: missing, unreadable, not a regular
 * file, empty, under IMAGE_SIZE_MIN, over limit, changed while being read; path.signed: it belongs
 * to another user than path, or all users may write it) or OTA_E_INTERNAL. Never opens a FIFO or
 * device for long. Where path.signed is not path with a signature, or is older, the image's flaw
 * says so. */
enum ota_error image_load(struct image **image, const char *path, bool may_be_signed, size_t limit,
                          struct ota_failure *failure);
void image_free(struct image *image);

/* Of the bytes that are sent; inspection need not be the image's. Fails with OTA_E_INTERNAL where
 * inspect_image() lacks memory: whether an image has a signature, for example, is unknown then. */
enum ota_error image_inspect(struct inspection *inspection, const struct image *image,
                             struct ota_failure *failure);

/* Fills in sha256, before the image is prepared and shared: no board asks for it, and to the others
 * it would only be a later start. Fails with OTA_E_INTERNAL. */
enum ota_error image_add_sha256(struct image *image, struct ota_failure *failure);

#endif
