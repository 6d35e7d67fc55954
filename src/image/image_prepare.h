/*
 * image_prepare.h: from the image that was read to the image that is sent.
 */
#ifndef ESP_OTA_IMAGE_IMAGE_PREPARE_H
#define ESP_OTA_IMAGE_IMAGE_PREPARE_H

#include "esp-ota/command.h"
#include "esp-ota/error.h"
#include "image/image.h"
#include "image/sign.h"

#include <stdint.h>

struct prepare_settings {
    bool compress;            /* -z */
    enum sign_hash sign_hash; /* --sign-hash */
    enum ota_command command; /* what the image is sent as */
    uint16_t port;            /* -p: tells the family of the boards; 0: unknown */
    bool is_for_boards;       /* boards will get the image; false: it only goes to a file */
    bool is_quiet;            /* the caller tells what has become of the image */
};

/* The key of --sign, from a PEM file; its password is asked for on the terminal. Warns of a key
 * that others can read or that is weak. Fails as sign_key_load_private() and passphrase_ask() do.
 */
enum ota_error image_prepare_load_key(struct sign_key **key, const char *path,
                                      struct ota_failure *failure);

/* The key of --verify-key, likewise. Warns of a private key that others can read. Fails as
 * sign_key_load_public() does. */
enum ota_error image_prepare_load_verify_key(struct sign_key **key, const char *path,
                                             struct ota_failure *failure);

/* Compresses *image (-z) and signs it (key; NULL: not at all). Replaces *image by the image to
 * send, which keeps the uncompressed original in `plain` for boards that want that instead. Logs
 * what was done, or why nothing was. Call it once for each image, before the image is shared.
 *
 * Fails with OTA_E_USAGE (the image is signed already, or for boards that unpack nothing),
 * OTA_E_IMAGE (no board takes such a file) or OTA_E_INTERNAL; then *image may be prepared in part
 * and must not be sent. */
enum ota_error image_prepare(struct image **image, const struct prepare_settings *settings,
                             const struct sign_key *key, struct ota_failure *failure);

/* Verifies the image with a public key, in each form in which some board may get it. Stores the
 * signature of the first form whose signature is not valid, else that of the last. Fails as
 * image_inspect() and sign_verify() do. */
enum ota_error image_verify(struct signature *signature, const struct image *image,
                            const struct sign_key *key, struct ota_failure *failure);

#endif
