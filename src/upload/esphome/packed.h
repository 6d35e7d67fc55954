/*
 * packed.h: the image as a board may ask for it: as it is, or compressed by gzip.
 */
#ifndef ESP_OTA_UPLOAD_ESPHOME_PACKED_H
#define ESP_OTA_UPLOAD_ESPHOME_PACKED_H

#include "crypto/digest.h"
#include "upload/esphome/exchange.h"

#include <stdbool.h>

struct image;

/* Images that were compressed, so that each is compressed once for all boards. */
struct packed {
    struct packed *next;
    const struct image *image;
    unsigned char *data; /* owned; NULL: the image cannot be made smaller */
    size_t size;
    char md5[DIGEST_MD5_HEX + 1];
};

/* Fills in what may be sent of an image. Only an ESP8266 asks for compressed images; one for other
 * boards is not compressed, which takes a moment, nor is one that is to be sent as it is. A file
 * that is compressed already can be sent only as that, unless the image has its original. False
 * when memory ran out. */
bool packed_choose(struct packed **list, const struct image *image, bool is_as_it_is,
                   struct exchange_content *plain, struct exchange_content *packed);

void packed_free(struct packed *list);

#endif
