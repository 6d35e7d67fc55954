/*
 * packed.c: a list of compressed images, with their MD5s.
 */
#include "upload/esphome/packed.h"

#include "image/gzip.h"
#include "image/image.h"

#include <stdlib.h>

static struct exchange_content content_of(const struct image *image)
{
    return (struct exchange_content){image->data, image->size, image->md5};
}

static void free_one(struct packed *packed)
{
    free(packed->data);
    free(packed);
}

/* NULL when memory ran out: libcrypto has computed the MD5 of another image already. */
static struct packed *pack_image(const struct image *image)
{
    struct packed *packed = calloc(1, sizeof *packed);
    if (!packed)
        return NULL;

    packed->image = image;
    if (!gzip_pack(&packed->data, &packed->size, image->data, image->size) ||
        (packed->data && digest_md5(packed->md5, packed->data, packed->size) != 0)) {
        free_one(packed);
        return NULL;
    }
    return packed;
}

static const struct packed *find_packed(struct packed **list, const struct image *image)
{
    struct packed *packed = *list;

    while (packed && packed->image != image)
        packed = packed->next;
    if (packed)
        return packed;

    packed = pack_image(image);
    if (packed) {
        packed->next = *list;
        *list = packed;
    }
    return packed;
}

bool packed_choose(struct packed **list, const struct image *image, bool is_as_it_is,
                   struct exchange_content *plain, struct exchange_content *packed)
{
    *plain = *packed = (struct exchange_content){.size = 0};
    if (image_is_compressed(image)) {
        *packed = content_of(image);
        if (image->plain)
            *plain = content_of(image->plain);
        return true;
    }

    *plain = content_of(image);
    if (is_as_it_is || image->family == IMAGE_ESP32 || image->family == IMAGE_PICO)
        return true;

    const struct packed *found = find_packed(list, image);
    if (found && found->data)
        *packed = (struct exchange_content){found->data, found->size, found->md5};
    return found != NULL;
}

void packed_free(struct packed *list)
{
    while (list) {
        struct packed *first = list;

        list = first->next;
        free_one(first);
    }
}
