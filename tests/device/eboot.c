/* An image linked for eboot is two images of the ESP8266's format: eboot at 0, the sketch at 4096.
 * A header is 8 bytes, with the number of segments second and the entry last; a segment has an
 * address and a length of 4 bytes each; the checksum is the last of 16 bytes. */
#include "eboot.h"

#include "family.h"

#include <stdbool.h>

enum { MAGIC = 0xE9, HEADER = 8, SEGMENT = 8, LINE = 16, SEGMENTS_MAX = 16, CHECKSUM = 0xEF };

/* Where eboot's code is, in a part of the RAM that sketches do not use. */
#define EBOOT_FIRST UINT32_C(0x4010F000)
#define EBOOT_END UINT32_C(0x40110000)

static uint32_t number_at(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Whether one image lies within length bytes and its checksum is right. */
static bool is_whole(const uint8_t *image, size_t length)
{
    size_t at = HEADER;
    uint8_t checksum = CHECKSUM;

    if (length < HEADER || image[0] != MAGIC || image[1] == 0 || image[1] > SEGMENTS_MAX)
        return false;

    for (unsigned i = 0; i < image[1]; i++) {
        if (length - at < SEGMENT)
            return false;
        size_t size = number_at(image + at + SEGMENT / 2);
        at += SEGMENT;
        if (size > length - at)
            return false;
        for (size_t end = at + size; at < end; at++)
            checksum ^= image[at];
    }
    at |= LINE - 1;
    return at < length && image[at] == checksum;
}

const char *eboot_finds_wrong(const uint8_t *flash, size_t length)
{
    if (length < HEADER || flash[0] != MAGIC)
        return "no image at 0";

    uint32_t entry = number_at(flash + HEADER / 2);
    if (entry < EBOOT_FIRST || entry >= EBOOT_END)
        return "the image is not linked for eboot";
    if (!is_whole(flash, length < SECTOR ? length : SECTOR))
        return "eboot itself is damaged";
    if (length <= SECTOR || !is_whole(flash + SECTOR, length - SECTOR))
        return "no whole sketch behind eboot";
    return NULL;
}
