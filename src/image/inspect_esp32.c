/*
 * inspect_esp32.c: applications and boot loaders for the ESP32 family, as in ESP-IDF's "App Image
 * Format".
 */
#include "base/escape.h"
#include "base/hex.h"
#include "crypto/digest.h"
#include "image/inspect_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    SECTOR = 4096,
    PIN_OFFSET = 8, /* the number of the pin that write-protects the flash */
    NO_PIN = 0xEE,
    HASH_FLAG_OFFSET = 23,
    SHA256_SIZE = 32,
    DESCRIPTOR_OFFSET = ESP32_HEADER_SIZE + ESP_SEGMENT_HEADER_SIZE,
    DESCRIPTOR_SIZE = 256,
    SECURE_BOOT_1_SIZE = 68,
    SECURE_BOOT_2_MAGIC = 0xE7,
};
#define DESCRIPTOR_MAGIC 0xABCD5432U

bool esp_looks_like_esp32(struct view view)
{
    if (view_u8(view, 0) != ESP_MAGIC || view.size < ESP32_HEADER_SIZE)
        return false;
    if (view_u32(view, DESCRIPTOR_OFFSET) == DESCRIPTOR_MAGIC)
        return true;
    return view_u8(view, PIN_OFFSET) == NO_PIN ||
           (chip_is_known(view_u16(view, ESP32_CHIP_OFFSET)) &&
            view_u8(view, HASH_FLAG_OFFSET) <= 1);
}

static void copy_text(char text[INSPECT_TEXT_MAX], struct view view, size_t offset, size_t capacity)
{
    const char *source = (const char *)view.data + offset;

    escape_text(text, INSPECT_TEXT_MAX, source, strnlen(source, capacity));
}

static void take_application(struct inspection *inspection, struct view view)
{
    struct inspect_application *application = &inspection->application;

    if (view_u32(view, DESCRIPTOR_OFFSET) != DESCRIPTOR_MAGIC ||
        !view_has(view, DESCRIPTOR_OFFSET, DESCRIPTOR_SIZE))
        return;

    inspection->has_application = true;
    copy_text(application->version, view, DESCRIPTOR_OFFSET + 16, 32);
    copy_text(application->project, view, DESCRIPTOR_OFFSET + 48, 32);
    copy_text(application->time, view, DESCRIPTOR_OFFSET + 80, 16);
    copy_text(application->date, view, DESCRIPTOR_OFFSET + 96, 16);
    copy_text(application->idf, view, DESCRIPTOR_OFFSET + 112, 32);
}

static bool hash_holds(struct inspection *inspection, struct view view, size_t end)
{
    char computed[DIGEST_SHA256_HEX + 1], stored[DIGEST_SHA256_HEX + 1];

    if (!view_has(view, end, SHA256_SIZE)) {
        inspect_judge(inspection, INSPECT_TRUNCATED,
                      "the file ends within the SHA-256 that should follow the checksum");
        return false;
    }

    if (digest_sha256(computed, view.data, end) != 0) {
        inspection->trouble = digest_errno();
        inspect_judge(inspection, INSPECT_CANNOT_TELL, "its SHA-256 cannot be computed: %s",
                      digest_error());
        return false;
    }

    hex_encode(stored, view.data + end, SHA256_SIZE);
    if (strcmp(stored, computed) == 0)
        return true;
    inspect_judge(inspection, INSPECT_BAD_SHA256,
                  "the appended SHA-256 is not that of the content");
    return false;
}

enum inspect_trailer esp32_trailer(struct view view, size_t end)
{
    size_t size = view.size - end;
    size_t signature = view.size - SECTOR; /* of secure boot 2: in the last sector */

    if (view_is_filled(view, end, size, 0xFF) || view_is_filled(view, end, size, 0))
        return INSPECT_PADDING;
    if (inspect_has_esp32_signature(view, end))
        return INSPECT_SIGNATURE_ESP32;
    if (size == SECURE_BOOT_1_SIZE && view_u32(view, end) == 0)
        return INSPECT_SIGNATURE_SECURE_BOOT;
    if (size >= SECTOR && view.size % SECTOR == 0 && view.data[signature] == SECURE_BOOT_2_MAGIC &&
        view_is_filled(view, end, signature - end, 0xFF))
        return INSPECT_SIGNATURE_SECURE_BOOT;
    return INSPECT_STRAY_BYTES;
}

/* Every boot loader reports this at its start, unless it was built without messages. */
static bool has_boot_loader_message(struct view view)
{
    static const char text[] = "2nd stage bootload";
    size_t length = sizeof text - 1;

    for (size_t offset = 0; view_has(view, offset, length); offset++)
        if (view.data[offset] == (unsigned char)*text && view_equals(view, offset, text, length))
            return true;
    return false;
}

/* A boot loader runs before the flash is mapped, so none of its segments has an address there. An
 * application for any later chip has a descriptor. Therefore an image without one, for a chip that
 * is unknown here, is a boot loader. */
static bool is_boot_loader(const struct inspection *inspection, struct view view,
                           const struct esp_walk *walk)
{
    if (inspection->has_application || walk->count == 0)
        return false;
    if (!chip_is_known(inspection->chip) || has_boot_loader_message(view))
        return true;

    for (size_t i = 0; i < walk->count; i++)
        if (chip_maps_flash(inspection->chip, walk->segments[i].address))
            return false;
    return true;
}

static void set_esp32_name(struct inspection *inspection, struct view view,
                           const struct esp_walk *walk)
{
    bool boots = is_boot_loader(inspection, view, walk);
    char title[40];

    inspection->format = boots ? INSPECT_ESP32_BOOT_LOADER : INSPECT_ESP32_APPLICATION;
    inspection->kind = boots ? INSPECT_NEITHER : INSPECT_SKETCH;
    snprintf(inspection->name, sizeof inspection->name, "%s %s",
             chip_title(title, sizeof title, inspection->chip),
             boots ? "boot loader" : "application image");
}

bool inspect_esp32(struct inspection *inspection, struct view view)
{
    enum { FLASH_SIZE_CODES = 8 }; /* 1 MiB to 128 MiB */
    unsigned char size_code = view_u8(view, 3) >> 4;
    bool has_hash = view_u8(view, HASH_FLAG_OFFSET) != 0;
    struct esp_walk walk;
    bool is_whole;

    if (!esp_looks_like_esp32(view))
        return false;

    inspect_set_chip(inspection, view_u16(view, ESP32_CHIP_OFFSET));
    esp_take_header(inspection, view, 0);
    if (size_code < FLASH_SIZE_CODES)
        inspection->flash_size = (uint32_t)1 << (20 + size_code);

    take_application(inspection, view);
    is_whole = esp_walk(&walk, inspection, view, 0, ESP32_HEADER_SIZE);
    esp_take_segments(inspection, &walk);
    set_esp32_name(inspection, view, &walk);

    if (!is_whole || !esp_checksum_holds(&walk, inspection, "the image") ||
        (has_hash && !hash_holds(inspection, view, walk.end)))
        return true;

    inspection->hashed_size = walk.end;
    inspection->image_size = walk.end + (has_hash ? SHA256_SIZE : 0);
    inspect_judge(inspection, INSPECT_VALID,
                  has_hash ? "its checksum and its SHA-256 are correct"
                           : "its checksum is correct; it has no SHA-256");
    if (inspection->image_size < view.size)
        inspect_set_trailer(inspection, view, esp32_trailer(view, inspection->image_size));
    return true;
}
