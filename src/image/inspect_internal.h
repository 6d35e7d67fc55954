/*
 * inspect_internal.h: the functions that inspect*.c share. For these files only.
 */
#ifndef ESP_OTA_IMAGE_INSPECT_INTERNAL_H
#define ESP_OTA_IMAGE_INSPECT_INTERNAL_H

#include "image/inspect.h"

#include <stdint.h>
#include <string.h>

/* The bytes to inspect. The readers below accept any offset, and return 0 beyond the end. */
struct view {
    const unsigned char *data;
    size_t size;
};

static inline bool view_has(struct view view, size_t offset, size_t length)
{
    return offset <= view.size && length <= view.size - offset;
}

static inline struct view view_from(struct view view, size_t offset)
{
    size_t skipped = offset < view.size ? offset : view.size;

    return (struct view){view.data + skipped, view.size - skipped};
}

static inline unsigned char view_u8(struct view view, size_t offset)
{
    return offset < view.size ? view.data[offset] : 0;
}

static inline uint16_t view_u16(struct view view, size_t offset)
{
    if (!view_has(view, offset, 2))
        return 0;
    return (uint16_t)(view.data[offset] | view.data[offset + 1] << 8);
}

static inline uint32_t view_u32(struct view view, size_t offset)
{
    if (!view_has(view, offset, 4))
        return 0;
    return view_u16(view, offset) | (uint32_t)view_u16(view, offset + 2) << 16;
}

static inline bool view_equals(struct view view, size_t offset, const void *bytes, size_t length)
{
    return view_has(view, offset, length) && memcmp(view.data + offset, bytes, length) == 0;
}

/* Whether all bytes of [offset, offset + length) have this value; false if it exceeds the view. */
bool view_is_filled(struct view view, size_t offset, size_t length, unsigned char value);

/* CRC-32 of eboot and of the RP2040's boot ROM: polynomial 0x04C11DB7, most significant bit first,
 * no final inversion. Start with 0xFFFFFFFF. */
uint32_t inspect_crc32(uint32_t crc, const unsigned char *data, size_t size);

/* Sets the integrity and the sentence with the reason. */
__attribute__((format(printf, 3, 4))) void inspect_judge(struct inspection *inspection,
                                                         enum inspect_integrity integrity,
                                                         const char *format, ...);

/* Sets the facts of a file that is certainly not firmware; what begins with an article. */
void inspect_set_foreign(struct inspection *inspection, enum inspect_format format,
                         const char *what, const char *remedy);

/* Sets the trailer: all bytes of the view from image_size on. */
void inspect_set_trailer(struct inspection *inspection, struct view view,
                         enum inspect_trailer trailer);
/* Whether the bytes from image_size on have the form of a signature for the ESP8266 and the Pico
 * (RSA, then its length), or for the ESP32. */
bool inspect_has_esp8266_signature(struct view view, size_t image_size);
bool inspect_has_esp32_signature(struct view view, size_t image_size);

/* Each of these recognizes some formats and fills in all but the verdict. It returns false, and
 * changes nothing, if the view has none of its formats. */
bool inspect_esp8266(struct inspection *inspection, struct view view);
bool inspect_esp32(struct inspection *inspection, struct view view);
bool inspect_esp32_flash(struct inspection *inspection, struct view view);
bool inspect_gzip(struct inspection *inspection, struct view view);
bool inspect_pico(struct inspection *inspection, struct view view);
bool inspect_uf2(struct inspection *inspection, struct view view);
bool inspect_elf(struct inspection *inspection, struct view view);
bool inspect_intel_hex(struct inspection *inspection, struct view view);
bool inspect_filesystem(struct inspection *inspection, struct view view);
bool inspect_foreign(struct inspection *inspection, struct view view);
bool inspect_zlib(struct inspection *inspection, struct view view);
bool inspect_text(struct inspection *inspection, struct view view);
bool inspect_blank(struct inspection *inspection, struct view view);

/* Adds what an image with ESPHome says of itself, whatever its format. */
void inspect_esphome(struct inspection *inspection, struct view view);

/* Inspects a view that is not a gzip file. */
void inspect_plain(struct inspection *inspection, struct view view);

/* Sets sending, families and verdict from all other facts; size is that of the whole file. */
void inspect_decide(struct inspection *inspection, size_t size);

/* -- images with Espressif's header -- */

enum {
    ESP_MAGIC = 0xE9,
    ESP8266_HEADER_SIZE = 8,
    ESP32_HEADER_SIZE = 24,
    ESP32_CHIP_OFFSET = 12,
    ESP_SEGMENT_HEADER_SIZE = 8,
};

struct esp_walk {
    struct inspect_segment segments[INSPECT_SEGMENTS_MAX];
    size_t count;
    size_t end;             /* behind the checksum */
    unsigned char stored;   /* the checksum in the file */
    unsigned char computed; /* the checksum of the segments */
};

/* Walks the segments of the image at start. On failure it judges the inspection, and walk has only
 * the segments before the failure. */
bool esp_walk(struct esp_walk *walk, struct inspection *inspection, struct view view, size_t start,
              size_t header_size);
/* Whether the checksum holds; if not, it judges the inspection. whose: "the sketch". */
bool esp_checksum_holds(const struct esp_walk *walk, struct inspection *inspection,
                        const char *whose);
void esp_take_segments(struct inspection *inspection, const struct esp_walk *walk);
/* Takes entry and flash mode from the header at offset. */
void esp_take_header(struct inspection *inspection, struct view view, size_t offset);
bool esp_looks_like_esp32(struct view view);
/* Classifies the bytes from end on, behind an image for the ESP32. */
enum inspect_trailer esp32_trailer(struct view view, size_t end);

/* -- ESP32 chips, by the number in the header -- */

bool chip_is_known(uint16_t chip);
/* Whether the chip sees its flash at this address; false for unknown chips. */
bool chip_maps_flash(uint16_t chip, uint32_t address);
/* "ESP32-C3", or "ESP32 (unknown chip 77)"; returns text. */
const char *chip_title(char *text, size_t capacity, uint16_t chip);
void inspect_set_chip(struct inspection *inspection, uint16_t chip);

#endif
