/*
 * inspect_esp8266.c: sketches for the ESP8266. A file has one image, or two, as made by elf2bin.py
 * of the Arduino core: the core's boot loader (eboot) and the sketch, each with its header and
 * checksum.
 */
#include "image/inspect_internal.h"

#include "base/units.h"

#include <stdio.h>

enum {
    SECTOR = 4096,
    FLASH_ADDRESS = 0x40200000,
    EBOOT_ADDRESS = 0x4010F000, /* the core's boot loader runs here */
    CRC_OFFSET = SECTOR + 16,   /* the file's size and CRC, in the sketch's first segment */
    SDK_SECTORS = 5,            /* calibration and settings at the end of the flash */
};

static bool is_esp8266_address(uint32_t address)
{
    return (address >= 0x3FFE8000 && address < 0x40000000) || /* data */
           (address >= 0x40100000 && address < 0x40110000) || /* instructions, eboot */
           (address >= 0x40200000 && address < 0x40400000);   /* flash */
}

static uint32_t decode_flash_size(unsigned char code)
{
    static const uint32_t sizes[] = {512 * KIB, 256 * KIB, 1 * MIB, 2 * MIB, 4 * MIB,
                                     2 * MIB,   4 * MIB,   0,       8 * MIB, 16 * MIB};

    return code < sizeof sizes / sizeof *sizes ? sizes[code] : 0;
}

/* Until the next start, the update lies beside the running sketch, both in whole sectors. */
static uint32_t measure_room(uint32_t flash_size, size_t sketch_size)
{
    size_t taken = (size_t)SDK_SECTORS * SECTOR;

    if (sketch_size > flash_size || flash_size < taken)
        return 0;
    taken += (sketch_size + SECTOR - 1) / SECTOR * SECTOR;
    return taken < flash_size ? flash_size - (uint32_t)taken : 0;
}

/* Newer cores store the size and the CRC of the whole file in it. They compute this CRC, and the
 * sketch's checksum, with zeros in the place of both. So the final checksum is wrong; the core's
 * boot loader ignores it. */
static bool has_crc(struct view view, size_t image_size)
{
    return image_size > CRC_OFFSET + 8 && view_u32(view, CRC_OFFSET) == image_size;
}

static bool crc_holds(struct inspection *inspection, struct view view, size_t image_size)
{
    static const unsigned char zeros[8];
    size_t rest = CRC_OFFSET + sizeof zeros;
    uint32_t stored = view_u32(view, CRC_OFFSET + 4);
    uint32_t computed = inspect_crc32(0xFFFFFFFF, view.data, CRC_OFFSET);

    computed = inspect_crc32(computed, zeros, sizeof zeros);
    computed = inspect_crc32(computed, view.data + rest, image_size - rest);
    if (stored == computed)
        return true;

    inspect_judge(inspection, INSPECT_BAD_CHECKSUM,
                  "its CRC-32 is 0x%08x, but the content gives 0x%08x", stored, computed);
    return false;
}

static void classify_trailer(struct inspection *inspection, struct view view)
{
    size_t end = inspection->image_size;

    if (view.size == end)
        return;

    if (inspect_has_esp8266_signature(view, end))
        inspect_set_trailer(inspection, view, INSPECT_SIGNATURE_ESP8266);
    else if (view_is_filled(view, end, view.size - end, 0xFF))
        inspect_set_trailer(inspection, view, INSPECT_PADDING);
    else
        inspect_set_trailer(inspection, view, INSPECT_STRAY_BYTES);
}

/* Walks the sketch behind the core's boot loader. */
static bool walk_sketch(struct esp_walk *walk, struct inspection *inspection, struct view view)
{
    if (view.size > SECTOR && view.data[SECTOR] != ESP_MAGIC) {
        inspect_judge(inspection, INSPECT_MALFORMED,
                      "no sketch follows the boot loader: at byte %d there is 0x%02x, not 0x%02x",
                      SECTOR, view.data[SECTOR], ESP_MAGIC);
        return false;
    }
    if (!view_has(view, SECTOR, ESP8266_HEADER_SIZE)) {
        inspect_judge(inspection, INSPECT_TRUNCATED, "the file ends before the sketch");
        return false;
    }

    esp_take_header(inspection, view, SECTOR);
    return esp_walk(walk, inspection, view, SECTOR, ESP8266_HEADER_SIZE);
}

/* Judges the integrity, and leaves the end of the image in walk. */
static void judge_esp8266(struct inspection *inspection, struct view view, struct esp_walk *walk)
{
    if (!esp_walk(walk, inspection, view, 0, ESP8266_HEADER_SIZE) ||
        !esp_checksum_holds(walk, inspection, inspection->has_eboot ? "eboot" : "the image"))
        return;

    if (!inspection->has_eboot) {
        inspect_judge(inspection, INSPECT_VALID, "its checksum is correct");
    } else if (walk_sketch(walk, inspection, view)) {
        if (has_crc(view, walk->end)) {
            if (crc_holds(inspection, view, walk->end))
                inspect_judge(inspection, INSPECT_VALID, "its checksum and its CRC-32 are correct");
        } else if (esp_checksum_holds(walk, inspection, "the sketch")) {
            inspect_judge(inspection, INSPECT_VALID, "its checksums are correct");
        }
    }
}

/* A user image (for rBoot or the NONOS SDK's boot loader) begins with the code that runs from
 * flash; an ordinary image follows. */
static bool is_user_image(struct view view)
{
    enum { MAGIC = 0xEA, SEGMENTS = 4 };

    return view_u8(view, 0) == MAGIC && view_u8(view, 1) == SEGMENTS &&
           is_esp8266_address(view_u32(view, 4)) && view_u32(view, 8) == 0;
}

static const char *name_of_esp8266(const struct inspection *inspection)
{
    if (inspection->has_eboot)
        return "ESP8266 image";
    for (size_t i = 0; i < inspection->segment_count; i++)
        if (inspection->segments[i].address >= FLASH_ADDRESS)
            return "ESP8266 image of another SDK";
    return "ESP8266 boot loader, or a part of another SDK's image";
}

static void take_esp8266(struct inspection *inspection, struct view view, const char *name)
{
    inspection->format = INSPECT_ESP8266;
    inspection->kind = INSPECT_SKETCH;
    snprintf(inspection->name, sizeof inspection->name, "%s", name);
    snprintf(inspection->chip_name, sizeof inspection->chip_name, "esp8266");
    inspection->flash_size = decode_flash_size(view_u8(view, 3) >> 4);
    esp_take_header(inspection, view, 0);
}

bool inspect_esp8266(struct inspection *inspection, struct view view)
{
    struct esp_walk walk;

    if (is_user_image(view)) {
        take_esp8266(inspection, view, "ESP8266 user image (for rBoot or the NONOS SDK)");
        inspect_judge(inspection, INSPECT_CANNOT_TELL, "its parts were not examined");
        return true;
    }
    if (view_u8(view, 0) != ESP_MAGIC || !is_esp8266_address(view_u32(view, ESP8266_HEADER_SIZE)))
        return false;

    take_esp8266(inspection, view, "ESP8266 image");
    inspection->has_eboot = view_u32(view, ESP8266_HEADER_SIZE) == EBOOT_ADDRESS;
    judge_esp8266(inspection, view, &walk);
    esp_take_segments(inspection, &walk);
    snprintf(inspection->name, sizeof inspection->name, "%s", name_of_esp8266(inspection));

    if (inspection->integrity == INSPECT_VALID) {
        inspection->image_size = walk.end;
        inspection->ota_room = measure_room(inspection->flash_size, walk.end);
        classify_trailer(inspection, view);
    }
    return true;
}
