/*
 * inspect_filesystem.c: filesystem images: LittleFS (its SPEC.md), SPIFFS (its technical
 * specification), FAT (Microsoft's specification). None of them has a checksum over its files, so
 * only a missing end is found.
 */
#include "image/inspect_internal.h"

#include <stdio.h>

static void take_filesystem(struct inspection *inspection, enum inspect_format format,
                            const char *name)
{
    inspection->format = format;
    inspection->kind = INSPECT_FILESYSTEM;
    snprintf(inspection->name, sizeof inspection->name, "%s filesystem image", name);
}

/* expected: the size according to the filesystem itself. */
static void judge_size(struct inspection *inspection, struct view view, uint64_t expected)
{
    if (expected > view.size) {
        inspect_judge(inspection, INSPECT_TRUNCATED,
                      "the filesystem should have %ju bytes, but the file has %zu",
                      (uintmax_t)expected, view.size);
        return;
    }

    inspect_judge(inspection, INSPECT_CANNOT_TELL,
                  "it has the size that it should have, but no checksum covers the files in it");
    inspection->image_size = (size_t)expected;
    if (expected == view.size)
        return;

    if (inspect_has_esp8266_signature(view, inspection->image_size))
        inspect_set_trailer(inspection, view, INSPECT_SIGNATURE_ESP8266);
    else if (view_is_filled(view, inspection->image_size, view.size - inspection->image_size, 0xFF))
        inspect_set_trailer(inspection, view, INSPECT_PADDING);
    else if (inspect_has_esp32_signature(view, inspection->image_size))
        inspect_set_trailer(inspection, view, INSPECT_SIGNATURE_ESP32);
    else
        inspect_set_trailer(inspection, view, INSPECT_STRAY_BYTES);
}

/* The superblock's name comes first in its block, its fields next. */
static bool inspect_littlefs(struct inspection *inspection, struct view view)
{
    enum { MAGIC_OFFSET = 8, VERSION_OFFSET = 20, BLOCK_SIZE_OFFSET = 24, BLOCK_COUNT_OFFSET = 28 };
    uint64_t block_size = view_u32(view, BLOCK_SIZE_OFFSET);

    if (!view_equals(view, MAGIC_OFFSET, "littlefs", 8) ||
        view_u32(view, VERSION_OFFSET) >> 16 != 2)
        return false;

    take_filesystem(inspection, INSPECT_LITTLEFS, "LittleFS");
    inspection->block_size = (uint32_t)block_size;
    inspection->filesystem_version = view_u32(view, VERSION_OFFSET);
    judge_size(inspection, view, block_size * view_u32(view, BLOCK_COUNT_OFFSET));
    return true;
}

/* Each block has a magic number in the last but one entry of its lookup pages. It depends on the
 * page size and, if so configured, on the number of blocks from this one to the last. */
enum { SPIFFS_ID_SIZE = 2, SPIFFS_MAGIC = 0x0529 };

static size_t spiffs_magic_offset(size_t page_size, size_t block_size)
{
    size_t entries_size = block_size / page_size * SPIFFS_ID_SIZE;
    size_t pages = (entries_size + page_size - 1) / page_size;

    return pages * page_size - 2 * (size_t)SPIFFS_ID_SIZE;
}

struct spiffs {
    size_t blocks;   /* the number it should have; if unknown, the number in the file */
    bool is_counted; /* the magic numbers include the number of blocks */
};

/* Returns false if the geometry is another one. */
static bool read_spiffs(struct spiffs *spiffs, struct view view, size_t page_size,
                        size_t block_size)
{
    enum { BLOCKS_MIN = 4 }; /* fewer could match by chance */
    size_t offset = spiffs_magic_offset(page_size, block_size);
    size_t there = view.size / block_size;
    unsigned plain = SPIFFS_MAGIC ^ (unsigned)page_size;
    size_t expected = view_u16(view, offset) ^ plain;

    *spiffs = (struct spiffs){expected == 0 ? there : expected, expected != 0};
    if (there < BLOCKS_MIN)
        return false;

    for (size_t i = 0; i < there; i++) {
        size_t remaining = spiffs->is_counted ? expected - i : 0;

        if (view_u16(view, i * block_size + offset) != (plain ^ remaining))
            return false;
    }
    return true;
}

/* Tries the sizes of these boards' cores, and those of ESP-IDF's configuration. */
static bool inspect_spiffs(struct inspection *inspection, struct view view)
{
    for (size_t page_size = 256; page_size <= 1024; page_size *= 2)
        for (size_t block_size = 4096; block_size <= 8192; block_size *= 2) {
            struct spiffs spiffs;

            if (!read_spiffs(&spiffs, view, page_size, block_size))
                continue;

            take_filesystem(inspection, INSPECT_SPIFFS, "SPIFFS");
            inspection->block_size = (uint32_t)block_size;
            inspection->page_size = (uint32_t)page_size;
            judge_size(inspection, view, (uint64_t)spiffs.blocks * block_size);
            if (!spiffs.is_counted && inspection->trailer != INSPECT_STRAY_BYTES)
                inspect_judge(inspection, INSPECT_CANNOT_TELL,
                              "nothing in it tells its size, and no checksum covers the files");
            return true;
        }
    return false;
}

static bool is_power_of_two(unsigned number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static bool is_fat_boot_sector(struct view view)
{
    unsigned sector_size = view_u16(view, 11);
    unsigned tables = view_u8(view, 16);
    unsigned media = view_u8(view, 21);

    return view_equals(view, 510, "\x55\xAA", 2) &&
           (view_u8(view, 0) == 0xE9 || (view_u8(view, 0) == 0xEB && view_u8(view, 2) == 0x90)) &&
           is_power_of_two(sector_size) && sector_size >= 512 && sector_size <= 4096 &&
           is_power_of_two(view_u8(view, 13)) && view_u16(view, 14) != 0 && tables >= 1 &&
           tables <= 2 && (media == 0xF0 || media >= 0xF8);
}

/* ESP-IDF's wear leveling has one sector before the filesystem, and its state behind it. */
static bool inspect_fat(struct inspection *inspection, struct view view)
{
    enum { WEAR_LEVELING = 4096, SECTORS_16_OFFSET = 19, SECTORS_32_OFFSET = 32 };
    bool is_leveled = !is_fat_boot_sector(view);
    size_t start = is_leveled ? WEAR_LEVELING : 0;
    struct view fat = view_from(view, start);
    uint64_t sectors = view_u16(fat, SECTORS_16_OFFSET);

    if (!is_fat_boot_sector(fat))
        return false;
    if (sectors == 0)
        sectors = view_u32(fat, SECTORS_32_OFFSET);

    take_filesystem(inspection, INSPECT_FAT, "FAT");
    judge_size(inspection, view, start + sectors * view_u16(fat, 11));

    if (is_leveled && inspection->trailer != INSPECT_NO_TRAILER) {
        inspection->trailer = INSPECT_NO_TRAILER;
        inspection->trailer_size = 0;
        inspection->image_size = view.size;
        inspect_judge(inspection, INSPECT_CANNOT_TELL, "no checksum covers the files in it");
    }
    return true;
}

bool inspect_filesystem(struct inspection *inspection, struct view view)
{
    return inspect_littlefs(inspection, view) || inspect_fat(inspection, view) ||
           inspect_spiffs(inspection, view);
}
