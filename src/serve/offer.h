/*
 * offer.h: an image as boards fetch it: the forms in which its bytes are sent, their digests, and
 * the digests that a board sends while it runs the image.
 */
#ifndef ESP_OTA_SERVE_OFFER_H
#define ESP_OTA_SERVE_OFFER_H

#include "crypto/digest.h"
#include "esp-ota/command.h"
#include "esp-ota/error.h"
#include "image/image.h"

enum offer_form {
    OFFER_PLAIN,
    OFFER_PACKED,    /* compressed, for boards that unpack it (-z) */
    OFFER_FOR_ESP32, /* signed as an ESP32 checks it (--sign) */
    OFFER_FORMS
};

/* What is sent, and what the response says of it. */
struct offer_bytes {
    const unsigned char *data; /* NULL: the image has no such form */
    size_t size;
    const struct image *image; /* with these bytes */
    const struct inspection *inspection;
    char md5[DIGEST_MD5_HEX + 1];
    char sha256[DIGEST_SHA256_HEX + 1];
    char sha512[DIGEST_SHA512_HEX + 1];
    char etag[DIGEST_SHA256_HEX + 3]; /* the SHA-256 in quotes */
};

enum { OFFER_RUNNING_MAX = 3 };

struct offer {
    const struct image *image;
    enum ota_command command;
    const char *version; /* --serve-version; NULL: not given */
    const char *name;    /* of the file, without its folder */
    struct offer_bytes forms[OFFER_FORMS];
    /* What a board may say of itself that runs the image: the MD5 of the file, of the file as it
     * was before it was packed, and of the image in it without what is behind it, such as a
     * signature. */
    char running[OFFER_RUNNING_MAX][DIGEST_MD5_HEX + 1];
    size_t running_count;
    /* What an ESP32 says, too: the SHA-256 in the image, or else of it. "": the image has none. */
    char running_sha256[DIGEST_SHA256_HEX + 1];
};

/* The image and the version must outlive the offer, which owns nothing. Fails with
 * OTA_E_INTERNAL. */
enum ota_error offer_make(struct offer *offer, const struct image *image, enum ota_command command,
                          const char *version, struct ota_failure *failure);

/* Whether a sketch with this MD5, in lower case, is the image. */
bool offer_is_running(const struct offer *offer, const char *md5);

#endif
