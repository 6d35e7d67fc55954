/*
 * inspect_pico.c: flash images of the Raspberry Pi Pico's chips, which have no header. They are
 * recognised by what the boot ROM looks for: on the RP2040 a boot stage with a CRC-32 (datasheet,
 * 2.8.1), on the RP2350 an image definition (datasheet, 5.9), and by the vector table behind.
 */
#include "inspect_parts.h"

#include <stdio.h>

enum { BOOT_STAGE_SIZE = 256, BOOT_STAGE_CRC_OFFSET = 252 };

/* A stack pointer into RAM (520 KiB at most) and a reset handler in flash, in Thumb code. */
static bool is_vector_table(struct view view, size_t offset)
{
    uint32_t stack = view_u32(view, offset);
    uint32_t reset = view_u32(view, offset + 4);

    return stack > 0x20000000 && stack <= 0x20082000 && stack % 4 == 0 && reset > 0x10000000 &&
           reset < 0x12000000 && reset % 2 == 1;
}

static void take_pico(struct inspection *inspection, struct view view, unsigned chip,
                      size_t vectors)
{
    inspection->format = INSPECT_PICO;
    inspection->kind = INSPECT_SKETCH;
    snprintf(inspection->name, sizeof inspection->name, "RP%u image", chip);
    snprintf(inspection->chip_name, sizeof inspection->chip_name, "rp%u", chip);
    inspection->has_entry = is_vector_table(view, vectors);
    if (inspection->has_entry)
        inspection->entry = view_u32(view, vectors + 4) - 1;
    inspect_judge(inspection, INSPECT_CANNOT_TELL, "images for this chip have no checksum");
}

static bool inspect_rp2040(struct inspection *inspection, struct view view)
{
    bool crc_holds = view_has(view, 0, BOOT_STAGE_SIZE) &&
                     inspect_crc32(0xFFFFFFFF, view.data, BOOT_STAGE_CRC_OFFSET) ==
                         view_u32(view, BOOT_STAGE_CRC_OFFSET);

    if (!crc_holds && !is_vector_table(view, BOOT_STAGE_SIZE))
        return false;
    take_pico(inspection, view, 2040, BOOT_STAGE_SIZE);
    if (crc_holds)
        inspect_judge(inspection, INSPECT_CANNOT_TELL,
                      "the boot stage's CRC-32 holds, but nothing covers the rest");
    else
        inspect_judge(inspection, INSPECT_BAD_CHECKSUM,
                      "the CRC-32 of its boot stage does not hold");
    return true;
}

/* A block whose first item says: executable, for the RP2350. */
static bool has_image_definition(struct view view)
{
    enum { SEARCHED = 4096, ITEM_IMAGE_TYPE = 0x42, TYPE_MASK = 0xF, EXECUTABLE = 1 };
    enum { CHIP_SHIFT = 12, CHIP_MASK = 7, CHIP_RP2350 = 1 };

    for (size_t offset = 0; offset < SEARCHED && view_has(view, offset, 8); offset += 4) {
        unsigned flags = view_u16(view, offset + 6);

        if (view_equals(view, offset, "\xD3\xDE\xFF\xFF", 4) &&
            view_u8(view, offset + 4) == ITEM_IMAGE_TYPE && (flags & TYPE_MASK) == EXECUTABLE &&
            (flags >> CHIP_SHIFT & CHIP_MASK) == CHIP_RP2350)
            return true;
    }
    return false;
}

bool inspect_pico(struct inspection *inspection, struct view view)
{
    if (has_image_definition(view))
        take_pico(inspection, view, 2350, 0);
    else if (!inspect_rp2040(inspection, view))
        return false;
    return true;
}
