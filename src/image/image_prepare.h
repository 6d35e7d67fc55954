/*
 * image_prepare.h: from the image that was read to the image that is sent.
 */
#ifndef ESP_OTA_IMAGE_IMAGE_PREPARE_H
#define ESP_OTA_IMAGE_IMAGE_PREPARE_H

#include "cli/options.h"
#include "image/image.h"
#include "image/sign.h"

/* The key of --sign, from a PEM file; its password is asked for on the terminal. Warns of a key
 * that others can read or that is weak. Fails as sign_key_load_private() and passphrase_ask() do.
 */
enum ota_error image_prepare_load_key(struct sign_key **key, const char *path,
                                      struct ota_failure *failure);

/* Has done to *image what options ask for (-z, --sign with this key), and puts in its place what is
 * to be sent; that one owns what it was made from, where boards may want it instead (image.h:
 * plain). What was done, or why nothing was, is logged once. Call it once for each image, before
 * the image is shared.
 *
 * Fails with OTA_E_USAGE (a sentence: the image is signed, or for boards that unpack nothing),
 * OTA_E_IMAGE (no board takes such a file) or OTA_E_INTERNAL; *image is then as it was. */
enum ota_error image_prepare(struct image **image, const struct options *options,
                             const struct sign_key *key, struct ota_failure *failure);

#endif
