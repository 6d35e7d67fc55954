/*
 * inspect_esp32_flash.c: files for an ESP32's flash as a whole: partition tables, and factory
 * images with boot loader, table and application in one. Formats as in ESP-IDF's "Partition
 * Tables".
 */
#include "base/hex.h"
#include "crypto/digest.h"
#include "image/inspect_internal.h"

#include <stdio.h>

enum {
    SECTOR = 4096,
    ENTRY_SIZE = 32,
    TABLE_SIZE = 0xC00,
    MD5_SIZE = 16,
    SEARCHED =
        0x20000, /* tables lie at 0x8000, or a little behind it if the boot loader is large */
};

struct table {
    size_t entries;
    bool has_md5;
};

static bool is_entry(struct view view, size_t offset)
{
    enum { TYPE_LAST = 0xFE }; /* Espressif's types end at 0x3F, then come those of users */
    unsigned char type = view_u8(view, offset + 2);
    uint32_t address = view_u32(view, offset + 4);

    return view_equals(view, offset, "\xAA\x50", 2) && view_has(view, offset, ENTRY_SIZE) &&
           type <= TYPE_LAST && address % SECTOR == 0 && view_u32(view, offset + 8) != 0;
}

/* A table ends with its MD5. One from an old tool ends with erased flash, or with the zeros of a
 * merged file. */
static bool read_table(struct table *table, struct view view, size_t start)
{
    size_t offset = start;

    while (offset - start < TABLE_SIZE && is_entry(view, offset))
        offset += ENTRY_SIZE;
    table->entries = (offset - start) / ENTRY_SIZE;
    table->has_md5 = view_equals(view, offset, "\xEB\xEB", 2) && view_has(view, offset, ENTRY_SIZE);

    return table->entries > 0 &&
           (table->has_md5 || view_is_filled(view, offset, ENTRY_SIZE, 0xFF) ||
            view_is_filled(view, offset, ENTRY_SIZE, 0));
}

static void judge_table(struct inspection *inspection, struct view view, const struct table *table)
{
    size_t covered = table->entries * ENTRY_SIZE;
    const unsigned char *stored = view.data + covered + ENTRY_SIZE - MD5_SIZE;
    char computed[DIGEST_MD5_HEX + 1];
    char shown[DIGEST_MD5_HEX + 1];

    if (!table->has_md5) {
        inspect_judge(inspection, INSPECT_CANNOT_TELL, "it has no MD5");
        return;
    }

    if (digest_md5(computed, view.data, covered) != 0) {
        inspection->trouble = digest_errno();
        inspect_judge(inspection, INSPECT_CANNOT_TELL, "its MD5 cannot be computed: %s",
                      digest_error());
        return;
    }

    hex_encode(shown, stored, MD5_SIZE);
    if (memcmp(shown, computed, DIGEST_MD5_HEX) == 0)
        inspect_judge(inspection, INSPECT_VALID, "its MD5 is correct");
    else
        inspect_judge(inspection, INSPECT_BAD_CHECKSUM, "its MD5 is not that of its entries");
}

static bool inspect_table(struct inspection *inspection, struct view view)
{
    struct table table;

    if (!read_table(&table, view, 0))
        return false;

    inspection->format = INSPECT_ESP32_PARTITION_TABLE;
    snprintf(inspection->name, sizeof inspection->name, "ESP32 partition table");
    judge_table(inspection, view, &table);
    return true;
}

/* The boot loader begins at 0x0, 0x1000 or 0x2000 of the flash. The file begins there, too, or at
 * 0x0 with erased flash or zeros in front of the boot loader. */
static bool find_boot_loader(struct view view, size_t *start)
{
    static const size_t starts[] = {0, 0x1000, 0x2000};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        *start = starts[i];
        if (esp_looks_like_esp32(view_from(view, *start)))
            return view_is_filled(view, 0, *start, 0xFF) || view_is_filled(view, 0, *start, 0);
    }
    return false;
}

/* Searches behind the first image only, as an application can have such a table among its data. */
static bool has_table_behind(struct view view, size_t offset)
{
    struct table ignored;
    size_t last = offset + SEARCHED < view.size ? offset + SEARCHED : view.size;
    size_t first_sector = (offset + SECTOR - 1) / SECTOR;

    for (size_t start = first_sector * SECTOR; start < last; start += SECTOR)
        if (read_table(&ignored, view, start))
            return true;
    return false;
}

bool inspect_esp32_flash(struct inspection *inspection, struct view view)
{
    struct inspection ignored;
    struct esp_walk walk;
    char title[40];
    size_t start;

    if (inspect_table(inspection, view))
        return true;
    if (!find_boot_loader(view, &start) ||
        !esp_walk(&walk, &ignored, view, start, ESP32_HEADER_SIZE) ||
        !has_table_behind(view, walk.end))
        return false;

    inspection->format = INSPECT_ESP32_FACTORY;
    inspect_set_chip(inspection, view_u16(view, start + ESP32_CHIP_OFFSET));
    snprintf(inspection->name, sizeof inspection->name, "%s factory image",
             chip_title(title, sizeof title, inspection->chip));
    inspect_judge(inspection, INSPECT_CANNOT_TELL, "its parts were not examined");
    return true;
}
