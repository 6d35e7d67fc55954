/*
 * image.h: the firmware file in memory. It is read once, digested once, and then shared unchanged
 * by all sessions. So the digest always matches the sent bytes, even if a build rewrites the file
 * in the meantime.
 */
#ifndef ESP_OTA_IMAGE_IMAGE_H
#define ESP_OTA_IMAGE_IMAGE_H

#include "crypto/digest.h"
#include "esp-ota/command.h"
#include "esp-ota/error.h"
#include "image/inspect.h"

enum {
    IMAGE_SIZE_MIN = 16,               /* a 1-byte image crashes ESP32 boards; 16 bytes are safe */
    IMAGE_SIZE_MAX = 16 * 1024 * 1024, /* the default limit: the largest flash chip in the field */
    IMAGE_FLAW_MAX = 512,
};

/* The family of boards that an image is for; IMAGE_UNKNOWN also if it suits several families. */
enum image_family { IMAGE_UNKNOWN, IMAGE_ESP8266, IMAGE_ESP32, IMAGE_PICO };

struct image {
    char *path;     /* the file that was read, perhaps NAME.signed; "-": standard input */
    bool is_signed; /* NAME.signed was read instead of NAME */
    /* The reason against NAME.signed ("should not be sent: it is older ..."); printable, or "". */
    char flaw[IMAGE_FLAW_MAX];
    enum image_family family;
    struct inspection inspection;       /* of the file */
    enum ota_command command;           /* what it is sent as; set by image_prepare() */
    size_t file_size;                   /* the size of the file itself */
    char sha256[DIGEST_SHA256_HEX + 1]; /* of the file; empty before image_add_sha256() */
    /* The bytes to send: those of the file, or compressed ones (image_prepare.h). */
    size_t size;
    char md5[DIGEST_MD5_HEX + 1];
    unsigned char *data;
    /* Owned: the same image with a signature for an ESP32. This image is then signed for the other
     * boards. NULL: this image is for every board that accepts it. */
    struct image *for_esp32;
    struct image
        *plain; /* owned: the uncompressed image; NULL: this one was not compressed by -z */
};

/* Reads path; reads path.signed instead if it exists (as espota.py does) and may_be_signed is set.
 * The file may have up to limit bytes. "-" is standard input and has no signed version. It is read
 * to its end, with the deadlines of input.h. The caller frees the image with image_free().
 *
 * Fails with OTA_E_IMAGE (a sentence with the path, escaped: missing, unreadable, not a regular
 * file, empty, under IMAGE_SIZE_MIN, over limit, changed while being read; path.signed: it belongs
 * to another user than path, or other users may write it) or OTA_E_INTERNAL. A FIFO or a device is
 * never kept open. If path.signed is not path with a signature, or is older than path, the image's
 * flaw says so. */
enum ota_error image_load(struct image **image, const char *path, bool may_be_signed, size_t limit,
                          struct ota_failure *failure);
void image_free(struct image *image);

/* Inspects the bytes to send; inspection need not be the image's own. Fails with OTA_E_INTERNAL if
 * inspect_image() lacks memory. It is then unknown, for example, whether the image is signed. */
enum ota_error image_inspect(struct inspection *inspection, const struct image *image,
                             struct ota_failure *failure);

/* Whether the bytes to send are compressed, by -z or in the file. */
bool image_is_compressed(const struct image *image);

/* Fills in sha256; must be called before the image is prepared and shared. No board needs this
 * hash, so image_load() does not delay the upload with it. Fails with OTA_E_INTERNAL. */
enum ota_error image_add_sha256(struct image *image, struct ota_failure *failure);

#endif
