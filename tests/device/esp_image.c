/* The image format as ESP-IDF documents it ("App Image Format"): header, segments, padding with
 * zeros, the checksum as the last of 16 bytes, and an optional SHA-256 of all bytes before. */
#include "esp_image.h"

#include <stdint.h>
#include <string.h>

enum { MAGIC = 0xE9, SEGMENTS_MAX = 16, SEGMENT_MAX = 16 * 1024 * 1024, LINE = 16 };
enum { AT_SEGMENTS = 1, AT_CHIP = 12, AT_HASH_FLAG = 23, AT_LENGTH = 4 };

static const struct {
    const char *name;
    uint16_t number;
} chips[] = {
    {"esp32", 0},    {"esp32s2", 2},  {"esp32c3", 5},  {"esp32s3", 9},   {"esp32c2", 12},
    {"esp32c6", 13}, {"esp32h2", 16}, {"esp32p4", 18}, {"esp32c61", 20}, {"esp32c5", 23},
};

bool esp_chip_find(const char *name, uint16_t *number)
{
    for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++) {
        if (strcmp(chips[i].name, name) == 0) {
            *number = chips[i].number;
            return true;
        }
    }
    return false;
}

const char *esp_chip_name(uint16_t number)
{
    size_t i = 0;
    while (chips[i].number != number)
        i++;
    return chips[i].name;
}

const char *esp_chip_names(void)
{
    return "esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c5, esp32c6, esp32c61, esp32h2, "
           "esp32p4";
}

static void enter(struct esp_image *image, enum esp_part part, size_t left)
{
    image->part = part;
    image->left = left;
    image->kept_length = 0;
}

static void enter_segment_or_checksum(struct esp_image *image)
{
    if (image->segments > 0)
        enter(image, ESP_IN_SEGMENT, ESP_SEGMENT);
    else
        enter(image, ESP_IN_CHECKSUM, LINE - image->at % LINE);
}

static void judge_header(struct esp_image *image)
{
    const uint8_t *header = image->kept;
    unsigned chip = header[AT_CHIP] | (unsigned)header[AT_CHIP + 1] << 8;
    image->segments = header[AT_SEGMENTS];
    image->has_hash = header[AT_HASH_FLAG] != 0;
    if (header[0] != MAGIC || chip != image->chip || image->segments > SEGMENTS_MAX)
        image->wrong = true;
    enter_segment_or_checksum(image);
}

static void judge_segment(struct esp_image *image)
{
    const uint8_t *at = image->kept + AT_LENGTH;
    size_t length = at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
    image->segments--;
    if (length % 4 != 0 || length > SEGMENT_MAX)
        image->wrong = true;
    enter(image, ESP_IN_DATA, length);
    if (length == 0)
        enter_segment_or_checksum(image);
}

static void judge_checksum(struct esp_image *image, uint8_t last)
{
    if (last != image->checksum)
        image->wrong = true;
    enter(image, image->has_hash ? ESP_IN_HASH : ESP_ENDED, ESP_HASH);
}

static void judge_hash(struct esp_image *image)
{
    char hex[HEX_ROOM];
    bool done = digest_finish(image->digest, hex);

    image->digest = NULL;
    for (size_t i = 0; done && i < ESP_HASH; i++) {
        static const char digits[] = "0123456789abcdef";
        done = hex[2 * i] == digits[image->kept[i] >> 4] &&
               hex[2 * i + 1] == digits[image->kept[i] & 15];
    }
    if (!done)
        image->wrong = true;
    enter(image, ESP_ENDED, 0);
}

/* The part is complete; last is its last byte. */
static void judge_part(struct esp_image *image, uint8_t last)
{
    switch (image->part) {
    case ESP_IN_HEADER:
        judge_header(image);
        break;
    case ESP_IN_SEGMENT:
        judge_segment(image);
        break;
    case ESP_IN_DATA:
        enter_segment_or_checksum(image);
        break;
    case ESP_IN_CHECKSUM:
        judge_checksum(image, last);
        break;
    case ESP_IN_HASH:
        judge_hash(image);
        break;
    case ESP_ENDED:
        break;
    }
}

static void keep_bytes(struct esp_image *image, const uint8_t *bytes, size_t length)
{
    if (image->part == ESP_IN_DATA) {
        for (size_t i = 0; i < length; i++)
            image->checksum ^= bytes[i];
    } else if (image->part != ESP_IN_CHECKSUM) {
        memcpy(image->kept + image->kept_length, bytes, length);
        image->kept_length += length;
    }

    if (image->part != ESP_IN_HASH && !digest_add(image->digest, bytes, length))
        image->wrong = true;
}

void esp_image_begin(struct esp_image *image, uint16_t chip)
{
    esp_image_end(image);
    *image = (struct esp_image){.chip = chip, .checksum = 0xEF, .digest = digest_start("SHA256")};
    image->wrong = !image->digest;
    enter(image, ESP_IN_HEADER, ESP_HEADER);
}

void esp_image_add(struct esp_image *image, const uint8_t *bytes, size_t length)
{
    while (length > 0 && image->part != ESP_ENDED && !image->wrong) {
        size_t part = length < image->left ? length : image->left;

        keep_bytes(image, bytes, part);
        image->at += part;
        image->left -= part;
        if (image->left == 0)
            judge_part(image, bytes[part - 1]);

        bytes += part;
        length -= part;
    }
}

bool esp_image_end(struct esp_image *image)
{
    digest_finish(image->digest, NULL);
    image->digest = NULL;
    return image->part == ESP_ENDED && !image->wrong;
}
