/*
 * inspect_pico.c: flash images for the Raspberry Pi Pico's chips. They have no header. As in the
 * boot ROM, an image for the RP2040 is recognized by a boot stage with a CRC-32 (datasheet, 2.8.1)
 * and one for the RP2350 by an image definition (datasheet, 5.9). The vector table behind them
 * counts, too.
 */
#include "image/inspect_internal.h"

#include <stdio.h>

enum { BOOT_STAGE_SIZE = 256, BOOT_STAGE_CRC_OFFSET = 252 };
#define FLASH_ADDRESS 0x10000000U
#define BLOCK_MARK 0xFFFFDED3U

/* A vector table begins with a stack pointer into RAM (520 KiB at most) and the address of a reset
 * handler in flash (odd, as it is Thumb code). */
static bool is_vector_table(struct view view, size_t offset)
{
    uint32_t stack = view_u32(view, offset);
    uint32_t reset = view_u32(view, offset + 4);

    return stack > 0x20000000 && stack <= 0x20082000 && stack % 4 == 0 && reset > FLASH_ADDRESS &&
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

/* The SDK puts a table of facts near the image's end, and its addresses near the vector table. */
static bool is_cut_before_facts(struct inspection *inspection, struct view view)
{
    enum { SEARCHED = 1024, MARKS_APART = 16 };

    for (size_t offset = BOOT_STAGE_SIZE; offset < BOOT_STAGE_SIZE + SEARCHED; offset += 4) {
        uint32_t start = view_u32(view, offset + 4);
        uint32_t end = view_u32(view, offset + 8);

        if (view_u32(view, offset) != 0x7188EBF2 ||
            view_u32(view, offset + MARKS_APART) != 0xE71AA390 || start < FLASH_ADDRESS ||
            end < start || end >= 0x12000000 || end - FLASH_ADDRESS <= view.size)
            continue;

        inspect_judge(inspection, INSPECT_TRUNCATED,
                      "its table of facts should end at byte %u, but the file has %zu",
                      end - FLASH_ADDRESS, view.size);
        return true;
    }
    return false;
}

static bool inspect_rp2040(struct inspection *inspection, struct view view)
{
    bool crc_holds = view_has(view, 0, BOOT_STAGE_SIZE) &&
                     inspect_crc32(0xFFFFFFFF, view.data, BOOT_STAGE_CRC_OFFSET) ==
                         view_u32(view, BOOT_STAGE_CRC_OFFSET);

    if (!crc_holds && !is_vector_table(view, BOOT_STAGE_SIZE))
        return false;

    take_pico(inspection, view, 2040, BOOT_STAGE_SIZE);
    if (!crc_holds)
        inspect_judge(inspection, INSPECT_BAD_CHECKSUM, "the CRC-32 of its boot stage is wrong");
    else if (!is_cut_before_facts(inspection, view))
        inspect_judge(inspection, INSPECT_CANNOT_TELL,
                      "the boot stage's CRC-32 is correct, but nothing covers the rest");
    return true;
}

/* Finds the block with this first item: executable, for the RP2350. */
static bool find_image_definition(struct view view, size_t *found)
{
    enum { SEARCHED = 4096, ITEM_IMAGE_TYPE = 0x42, TYPE_MASK = 0xF, EXECUTABLE = 1 };
    enum { CHIP_SHIFT = 12, CHIP_MASK = 7, CHIP_RP2350 = 1 };

    for (size_t offset = 0; offset < SEARCHED && view_has(view, offset, 8); offset += 4) {
        unsigned flags = view_u16(view, offset + 6);

        *found = offset;
        if (view_u32(view, offset) == BLOCK_MARK && view_u8(view, offset + 4) == ITEM_IMAGE_TYPE &&
            (flags & TYPE_MASK) == EXECUTABLE && (flags >> CHIP_SHIFT & CHIP_MASK) == CHIP_RP2350)
            return true;
    }
    return false;
}

/* Returns the offset of the block's last item, which has the distance to the next block; 0 if this
 * is not a block. An item has its size in words: one byte, or two if its type's top bit is set. */
static size_t find_last_item(struct view view, size_t block)
{
    enum { ITEM_LAST = 0xFF, TWO_BYTES = 0x80, BLOCK_SIZE_MAX = 640 };
    size_t offset = block + 4;

    while (offset < block + BLOCK_SIZE_MAX && view_has(view, offset, 12)) {
        unsigned type = view_u8(view, offset);
        bool has_two_bytes = (type & TWO_BYTES) != 0;
        unsigned words = has_two_bytes ? view_u16(view, offset + 1) : view_u8(view, offset + 1);

        if (type == ITEM_LAST)
            return view_u32(view, offset + 8) == 0xAB123579 ? offset : 0;
        if (words == 0)
            return 0;

        offset += (size_t)words * 4;
    }
    return 0;
}

/* Follows the chain of blocks. The last one lies at the image's end and leads back to the first. */
static void judge_blocks(struct inspection *inspection, struct view view, size_t first)
{
    enum { BLOCKS_MAX = 16 };
    size_t block = first;

    for (unsigned i = 0; i < BLOCKS_MAX; i++) {
        size_t last = find_last_item(view, block);
        int64_t next = (int64_t)block + (int32_t)view_u32(view, last + 4);

        if (last == 0 || next < 0 || next >= 0x2000000)
            return; /* the chain is broken: keep the earlier judgement */

        if ((size_t)next == first) {
            if (i > 0)
                inspect_judge(inspection, INSPECT_CANNOT_TELL,
                              "its blocks are there up to the end block, but have no checksum");
            return;
        }

        block = (size_t)next;
        if (!view_has(view, block, 4)) {
            inspect_judge(inspection, INSPECT_TRUNCATED,
                          "its end block should be at byte %zu, but the file has %zu", block,
                          view.size);
            return;
        }
        if (view_u32(view, block) != BLOCK_MARK) {
            inspect_judge(inspection, INSPECT_MALFORMED, "there is no block at byte %zu", block);
            return;
        }
    }
}

bool inspect_pico(struct inspection *inspection, struct view view)
{
    size_t definition;

    if (!find_image_definition(view, &definition))
        return inspect_rp2040(inspection, view);
    take_pico(inspection, view, 2350, 0);
    judge_blocks(inspection, view, definition);
    return true;
}
