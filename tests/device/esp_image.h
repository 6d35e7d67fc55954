/* Checks an image as esp_ota_set_boot_partition() does, before an ESP32 boots it. */
#ifndef DEVICE_ESP_IMAGE_H
#define DEVICE_ESP_IMAGE_H

#include "digest.h"

enum { ESP_HEADER = 24, ESP_SEGMENT = 8, ESP_HASH = 32 };

/* A number from an image's header, by the name of the chip. False for an unknown one. */
bool esp_chip_find(const char *name, uint16_t *number);

/* The name of a number that was found. */
const char *esp_chip_name(uint16_t number);

/* All names, separated by ", ", for messages. */
const char *esp_chip_names(void);

enum esp_part {
    ESP_IN_HEADER,
    ESP_IN_SEGMENT,
    ESP_IN_DATA,
    ESP_IN_CHECKSUM,
    ESP_IN_HASH,
    ESP_ENDED
};

struct esp_image {
    enum esp_part part;
    uint16_t chip; /* the board's */
    bool wrong;
    bool has_hash;
    unsigned segments; /* number of segments that are still to come */
    size_t at;         /* offset in the image */
    size_t left;       /* bytes left in the part */
    uint8_t checksum;
    uint8_t kept[ESP_HASH]; /* bytes of a header, a segment's header or the hash */
    size_t kept_length;     /* number of bytes in kept */
    struct digest *digest;
};

/* An image for this chip begins. */
void esp_image_begin(struct esp_image *image, uint16_t chip);

/* Its next bytes; any number of them at a time. */
void esp_image_add(struct esp_image *image, const uint8_t *bytes, size_t length);

/* True if the image was complete and correct; bytes behind it are ignored. Frees the digest, and
 * may be called again. */
bool esp_image_end(struct esp_image *image);

#endif
