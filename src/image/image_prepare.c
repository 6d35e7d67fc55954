/*
 * image_prepare.c: see image_prepare.h. It decides from what the inspection found, and touches no
 * file.
 */
#include "image/image_prepare.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/units.h"
#include "crypto/digest.h"
#include "image/gzip.h"
#include "image/kind.h"
#include "secrets/passphrase.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SHOWN = 512 };

/* What to do about -z. */
enum packing { PACK, LEAVE, REFUSE_FOREIGN, REFUSE_UNMOUNTABLE, REFUSE_USELESS };

static enum packing packing_of(const struct inspection *inspection)
{
    switch (inspection->format) {
    case INSPECT_ESP8266:
    case INSPECT_PICO:
        return PACK;
    case INSPECT_LITTLEFS:
    case INSPECT_SPIFFS:
        return (inspection->families & INSPECT_FAMILY_ESP8266) != 0 ? PACK : REFUSE_UNMOUNTABLE;
    case INSPECT_GZIP:
        return LEAVE;
    case INSPECT_ESP32_APPLICATION:
    case INSPECT_ESP32_FACTORY:
    case INSPECT_ESP32_BOOT_LOADER:
    case INSPECT_ESP32_PARTITION_TABLE:
    case INSPECT_FAT:
    case INSPECT_UPDATE:
        return REFUSE_FOREIGN;
    case INSPECT_UF2:
        return inspection->sending == INSPECT_IMPOSSIBLE ? REFUSE_USELESS : REFUSE_FOREIGN;
    case INSPECT_ELF:
    case INSPECT_INTEL_HEX:
    case INSPECT_TEXT:
    case INSPECT_ARCHIVE:
    case INSPECT_PROGRAM:
    case INSPECT_DOCUMENT:
    case INSPECT_FLASH_DATA:
    case INSPECT_BLANK:
        return REFUSE_USELESS;
    case INSPECT_UNKNOWN:
    case INSPECT_FORMAT_COUNT:
        break;
    }
    return PACK;
}

static bool is_signed(const struct image *image)
{
    return image->is_signed || inspect_is_signed(&image->inspection, image->data, image->size);
}

/* Why the image must not be compressed; OTA_OK when it may, or is already. */
static enum ota_error refuse_image(const struct image *image, const char *shown,
                                   struct ota_failure *failure)
{
    const struct inspection *inspection = &image->inspection;
    enum packing packing = packing_of(inspection);
    if (packing == REFUSE_FOREIGN)
        return ota_fail(failure, OTA_E_USAGE,
                        "%s (%s) is for %s, which do not unpack images; leave -z out", shown,
                        inspection->name,
                        inspection->format == INSPECT_UF2      ? "boards with LibreTiny"
                        : inspection->format == INSPECT_UPDATE ? "boards of another system"
                                                               : "ESP32 boards");
    if (packing == REFUSE_UNMOUNTABLE)
        return ota_fail(failure, OTA_E_USAGE,
                        "%s (%s) is for boards that do not unpack filesystem images; leave -z out",
                        shown, inspection->name);
    if (packing == REFUSE_USELESS)
        return ota_fail(failure, OTA_E_IMAGE, "%s (%s) %s", shown, inspection->name,
                        inspection->verdict);
    if (packing != LEAVE && is_signed(image))
        return ota_fail(failure, OTA_E_USAGE,
                        "%s is signed, and compressed its signature would not hold; sign after "
                        "compressing, or leave -z out",
                        shown);
    return OTA_OK;
}

/* Which boards take the compressed image, and what is said about it: as for such a file. */
static enum ota_error judge_packed(struct image *packed, struct ota_failure *failure)
{
    struct inspection inspection;

    if (image_inspect(&inspection, packed, failure) != OTA_OK)
        return failure->error;

    packed->inspection.families = inspection.families;
    packed->inspection.sending = inspection.sending;
    memcpy(packed->inspection.verdict, inspection.verdict, sizeof inspection.verdict);
    return OTA_OK;
}

/* A new image of these bytes, which become its own, that stands for the file of another one. */
static struct image *derive_image(const struct image *from, unsigned char *data, size_t size)
{
    struct image *image = malloc(sizeof *image);
    if (!image)
        return NULL;

    *image = *from;
    image->path = strdup(from->path);
    image->data = data;
    image->size = size;
    image->plain = image->for_esp32 = NULL;
    if (image->path && digest_md5(image->md5, data, size) == 0)
        return image;
    free(image->path);
    free(image);
    return NULL;
}

static enum ota_error out_of_memory(const char *shown, struct ota_failure *failure)
{
    return ota_fail_errno(failure, OTA_E_INTERNAL, ENOMEM, "out of memory for %s, compressed",
                          shown);
}

/* What becomes of an image that is not compressed. */
static const char *fate(const struct prepare_settings *settings)
{
    return settings->is_for_boards ? "sent" : "left";
}

static enum ota_error pack_image(struct image **image, const char *shown,
                                 const struct prepare_settings *settings,
                                 struct ota_failure *failure)
{
    char before[UNITS_TEXT_MAX], after[UNITS_TEXT_MAX];
    unsigned char *data;
    size_t size;
    struct image *plain = *image;

    if (!gzip_pack(&data, &size, plain->data, plain->size))
        return out_of_memory(shown, failure);
    if (!data) {
        diag_info("%s does not get smaller by compressing and is %s as it is", shown,
                  fate(settings));
        return OTA_OK;
    }

    struct image *packed = derive_image(plain, data, size);
    if (!packed) {
        free(data);
        return out_of_memory(shown, failure);
    }
    if (judge_packed(packed, failure) != OTA_OK) {
        image_free(packed);
        return failure->error;
    }

    packed->plain = plain;
    *image = packed;
    if (!settings->is_quiet)
        diag_info("%s is compressed from %s to %s", shown, format_size(before, plain->size),
                  format_size(after, size));
    return OTA_OK;
}

static enum ota_error compress_image(struct image **image, const struct prepare_settings *settings,
                                     struct ota_failure *failure)
{
    char shown[PATH_SHOWN];

    input_show(shown, sizeof shown, (*image)->path);
    if (refuse_image(*image, shown, failure) != OTA_OK)
        return failure->error;
    if (packing_of(&(*image)->inspection) == LEAVE) {
        diag_info("%s is compressed already and is %s as it is", shown, fate(settings));
        return OTA_OK;
    }
    return pack_image(image, shown, settings, failure);
}

static enum ota_error append_trailer(struct image *image, const unsigned char *trailer, size_t size,
                                     const char *shown, struct ota_failure *failure)
{
    unsigned char *data = realloc(image->data, image->size + size);
    if (!data)
        return ota_fail_errno(failure, OTA_E_INTERNAL, ENOMEM, "out of memory for %s, signed",
                              shown);

    memcpy(data + image->size, trailer, size);
    image->data = data;
    image->size += size;
    if (digest_md5(image->md5, data, image->size) == 0)
        return OTA_OK;
    return ota_fail_errno(failure, OTA_E_INTERNAL, digest_errno(),
                          "cannot compute the MD5 of %s: %s", shown, digest_error());
}

/* inspection: of what is sent. */
static enum ota_error sign_as(struct image *image, const struct inspection *inspection,
                              const struct prepare_settings *settings, const struct sign_key *key,
                              struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    unsigned char trailer[SIGN_TRAILER_MAX];
    size_t size;
    const struct sign_file file = {shown, image->data, image->size, inspection};

    input_show(shown, sizeof shown, image->path);
    if (sign_make(trailer, &size, key, settings->sign_hash, &file, failure) != OTA_OK)
        return failure->error;
    return append_trailer(image, trailer, size, shown, failure);
}

/* Of those that take the image, as far as the port tells; of a file about which nothing is known,
 * what the port tells. */
static unsigned families_at(uint16_t port, unsigned families)
{
    unsigned listening = port == KIND_PORT_ESP8266 ? INSPECT_FAMILY_ESP8266
                         : port == KIND_PORT_ESP32 ? INSPECT_FAMILY_ESP32
                         : port == KIND_PORT_PICO  ? INSPECT_FAMILY_PICO
                                                   : families;

    if (families == 0)
        return listening;

    const unsigned both = families & listening;
    return both ? both : families;
}

/* ESP32 boards check signatures unlike the others; which of both is needed is known when the board
 * is found (image_fit_variant()). */
static enum ota_error sign_both(struct image *image, const struct inspection *inspection,
                                const struct prepare_settings *settings, const struct sign_key *key,
                                struct ota_failure *failure)
{
    struct inspection narrowed = *inspection;
    unsigned char *data = malloc(image->size);
    struct image *other = NULL;

    if (data) {
        memcpy(data, image->data, image->size);
        other = derive_image(image, data, image->size);
    }
    if (!other) {
        free(data);
        return ota_fail_errno(failure, OTA_E_INTERNAL, ENOMEM, "out of memory for a signed image");
    }
    image->for_esp32 = other;
    narrowed.families = INSPECT_FAMILY_ESP32;
    if (sign_as(other, &narrowed, settings, key, failure) != OTA_OK)
        return failure->error;
    narrowed.families = inspection->families & ~(unsigned)INSPECT_FAMILY_ESP32;
    return sign_as(image, &narrowed, settings, key, failure);
}

/* Boards check the signature of what they get, before they unpack it; so the plain image needs one
 * of its own. */
static enum ota_error sign_image(struct image *image, const struct prepare_settings *settings,
                                 const struct sign_key *key, struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    struct inspection inspection;
    enum ota_error error;

    input_show(shown, sizeof shown, image->path);
    if (image_inspect(&inspection, image, failure) != OTA_OK)
        return failure->error;
    inspection.families = families_at(settings->port, inspection.families);
    if ((inspection.families & INSPECT_FAMILY_ESP32) != 0 &&
        inspection.families != INSPECT_FAMILY_ESP32 && sign_key_is_rsa(key) &&
        settings->is_for_boards)
        error = sign_both(image, &inspection, settings, key, failure);
    else
        error = sign_as(image, &inspection, settings, key, failure);
    if (error == OTA_OK && image->plain) {
        inspection = image->plain->inspection;
        inspection.families &= ~(unsigned)INSPECT_FAMILY_ESP32; /* which unpack nothing */
        error = sign_as(image->plain, &inspection, settings, key, failure);
    }
    if (error == OTA_OK && !settings->is_quiet)
        diag_info("%s is signed", shown);
    return error;
}

enum ota_error image_prepare(struct image **image, const struct prepare_settings *settings,
                             const struct sign_key *key, struct ota_failure *failure)
{
    enum ota_error error = OTA_OK;

    (*image)->command = settings->command;
    if (settings->compress)
        error = compress_image(image, settings, failure);
    if (error == OTA_OK && key)
        error = sign_image(*image, settings, key, failure);
    return error;
}

static enum ota_error verify_form(struct signature *signature, const struct image *image,
                                  const struct sign_key *key, struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    struct inspection inspection;
    const struct sign_file file = {input_show(shown, sizeof shown, image->path), image->data,
                                   image->size, &inspection};

    if (image_inspect(&inspection, image, failure) != OTA_OK)
        return failure->error;
    return sign_verify(signature, key, &file, failure);
}

enum ota_error image_verify(struct signature *signature, const struct image *image,
                            const struct sign_key *key, struct ota_failure *failure)
{
    for (; image; image = image->plain) {
        if (verify_form(signature, image, key, failure) != OTA_OK)
            return failure->error;

        if (signature->verdict == SIGN_VALID && image->for_esp32 &&
            verify_form(signature, image->for_esp32, key, failure) != OTA_OK)
            return failure->error;
        if (signature->verdict != SIGN_VALID)
            return OTA_OK;
    }
    return OTA_OK;
}

enum ota_error image_prepare_load_key(struct sign_key **key, const char *path,
                                      struct ota_failure *failure)
{
    char shown[512];

    if (sign_key_load_private(key, path, passphrase_ask, NULL, failure) != OTA_OK)
        return failure->error;

    exposure_warn(sign_key_exposure(*key), path, "key");
    if (sign_key_is_weak(*key))
        diag_warning("the key in %s is RSA-1024, which can be broken; use RSA-2048 or larger (the "
                     "boards need firmware with its public key first)",
                     escape_string(shown, sizeof shown, path));
    return OTA_OK;
}

enum ota_error image_prepare_load_verify_key(struct sign_key **key, const char *path,
                                             struct ota_failure *failure)
{
    if (sign_key_load_public(key, path, failure) != OTA_OK)
        return failure->error;

    exposure_warn(sign_key_exposure(*key), path, "key");
    return OTA_OK;
}
