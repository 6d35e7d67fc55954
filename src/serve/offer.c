/* offer.c: see offer.h. */
#include "serve/offer.h"

#include "base/error.h"
#include "base/escape.h"
#include "image/gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum ota_error fail_offer(const struct offer *offer, struct ota_failure *failure)
{
    char shown[512];

    return ota_fail_errno(failure, OTA_E_INTERNAL, digest_errno(),
                          "cannot compute the digests of %s: %s",
                          escape_string(shown, sizeof shown, offer->name), digest_error());
}

static bool set_form(struct offer_bytes *bytes, const struct image *image)
{
    *bytes = (struct offer_bytes){
        .data = image->data, .size = image->size, .image = image, .inspection = &image->inspection};
    if (digest_md5(bytes->md5, image->data, image->size) != 0 ||
        digest_sha256(bytes->sha256, image->data, image->size) != 0 ||
        digest_sha512(bytes->sha512, image->data, image->size) != 0)
        return false;

    snprintf(bytes->etag, sizeof bytes->etag, "\"%s\"", bytes->sha256);
    return true;
}

static bool set_forms(struct offer *offer, const struct image *image)
{
    const struct image *plain = image->plain ? image->plain : image;

    return set_form(&offer->forms[OFFER_PLAIN], plain) &&
           (!image->plain || set_form(&offer->forms[OFFER_PACKED], image)) &&
           (!plain->for_esp32 || set_form(&offer->forms[OFFER_FOR_ESP32], plain->for_esp32));
}

static bool add_running(struct offer *offer, const unsigned char *data, size_t size)
{
    char *md5 = offer->running[offer->running_count];

    if (digest_md5(md5, data, size) != 0)
        return false;
    if (!offer_is_running(offer, md5))
        offer->running_count++;
    return true;
}

/* A file that was packed before it came to us: a board runs what is in it. */
static enum ota_error add_unpacked(struct offer *offer, const struct image *plain,
                                   struct ota_failure *failure)
{
    const size_t size = plain->inspection.unpacked_size;
    enum ota_error error = OTA_OK;
    if (size == 0)
        return OTA_OK;

    unsigned char *data = malloc(size);
    const int unpacked = data ? gzip_unpack(data, size, plain->data, plain->size) : -1;
    if (unpacked < 0)
        error = ota_fail_no_memory(failure);
    else if (unpacked == 1 && !add_running(offer, data, size))
        error = fail_offer(offer, failure);
    free(data);
    return error;
}

/* A signature that was appended by --sign lies behind the bytes of the file. */
static bool set_running(struct offer *offer, const struct image *plain)
{
    const size_t file_size = plain->file_size, image_size = plain->inspection.image_size;

    return add_running(offer, plain->data, file_size < plain->size ? file_size : plain->size) &&
           (image_size == 0 || image_size >= file_size ||
            add_running(offer, plain->data, image_size)) &&
           (plain->inspection.hashed_size == 0 ||
            digest_sha256(offer->running_sha256, plain->data, plain->inspection.hashed_size) == 0);
}

enum ota_error offer_make(struct offer *offer, const struct image *image, enum ota_command command,
                          const char *version, struct ota_failure *failure)
{
    const struct image *plain = image->plain ? image->plain : image;
    const char *slash = strrchr(image->path, '/');

    *offer = (struct offer){.image = image,
                            .command = command,
                            .version = version,
                            .name = slash ? slash + 1 : image->path};
    if (!set_forms(offer, image) || !set_running(offer, plain))
        return fail_offer(offer, failure);
    return add_unpacked(offer, plain, failure);
}

bool offer_is_running(const struct offer *offer, const char *md5)
{
    for (size_t i = 0; i < offer->running_count; i++)
        if (strcmp(offer->running[i], md5) == 0)
            return true;
    return false;
}
