/*
 * inspect_container.c: UF2 (as in its specification) and ELF (System V ABI). Both carry firmware to
 * other tools; no board accepts them over the air.
 */
#include "image/inspect_internal.h"

#include <stdio.h>

enum { UF2_BLOCK_SIZE = 512, UF2_HEADER_SIZE = 32 };

static bool has_uf2_start(struct view view, size_t offset)
{
    return view_u32(view, offset) == 0x0A324655 && view_u32(view, offset + 4) == 0x9E5D5157;
}

static bool is_uf2_block(struct view view, size_t offset)
{
    enum { PAYLOAD_MAX = 476 };

    return view_has(view, offset, UF2_BLOCK_SIZE) && has_uf2_start(view, offset) &&
           view_u32(view, offset + 16) <= PAYLOAD_MAX &&
           view_u32(view, offset + UF2_BLOCK_SIZE - 4) == 0x0AB16F30;
}

static const char *name_uf2_family(struct view view)
{
    static const struct {
        uint32_t family;
        const char *name;
    } families[] = {
        {0xE48BFF56, " for the RP2040"},   {0xE48BFF57, " for the RP2350"},
        {0xE48BFF59, " for the RP2350"},   {0xE48BFF5A, " for the RP2350"},
        {0xE48BFF5B, " for the RP2350"},   {0x7EAB61ED, " for the ESP8266"},
        {0x1C5F21B0, " for the ESP32"},    {0xBFDD4EEE, " for the ESP32-S2"},
        {0xC47E5767, " for the ESP32-S3"},
    };
    enum { HAS_FAMILY = 0x2000, FLAGS_OFFSET = 8, FAMILY_OFFSET = 28 };

    if ((view_u32(view, FLAGS_OFFSET) & HAS_FAMILY) == 0)
        return "";

    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (families[i].family == view_u32(view, FAMILY_OFFSET))
            return families[i].name;
    return "";
}

/* Blocks are numbered from 0 for each image of a file. A file for the RP2350 begins with a separate
 * block with number 0; its total is ignored. */
static void judge_uf2(struct inspection *inspection, struct view view)
{
    size_t blocks = (view.size + UF2_BLOCK_SIZE - 1) / UF2_BLOCK_SIZE;
    size_t number = 1;
    uint32_t next = 0;
    uint32_t total = 0;

    for (size_t offset = 0; offset < view.size; offset += UF2_BLOCK_SIZE, number++) {
        uint32_t count = view_u32(view, offset + 20);

        if (!view_has(view, offset, UF2_BLOCK_SIZE)) {
            inspect_judge(inspection, INSPECT_TRUNCATED, "the file ends within block %zu", number);
            return;
        }
        if (!is_uf2_block(view, offset) || (count != 0 && count != next)) {
            inspect_judge(inspection, INSPECT_MALFORMED, "block %zu of %zu is damaged", number,
                          blocks);
            return;
        }

        next = count + 1;
        total = view_u32(view, offset + 24);
    }

    if (next < total)
        inspect_judge(inspection, INSPECT_TRUNCATED,
                      "the file ends after block %zu, and %u more should follow", blocks,
                      total - next);
    else
        inspect_judge(inspection, INSPECT_CANNOT_TELL,
                      "its blocks are whole, but have no checksum");
}

/* Even the first block may be damaged, so the second and third are looked at, too. */
bool inspect_uf2(struct inspection *inspection, struct view view)
{
    size_t first = 0;

    if (!view_equals(view, 0, "UF2\n", 4) && !has_uf2_start(view, 0)) {
        first = UF2_BLOCK_SIZE;
        if (!is_uf2_block(view, first) && !is_uf2_block(view, first + UF2_BLOCK_SIZE))
            return false;
    }

    inspection->format = INSPECT_UF2;
    snprintf(inspection->name, sizeof inspection->name, "UF2 file%s",
             name_uf2_family(view_from(view, first)));
    judge_uf2(inspection, view);
    return true;
}

static const char *name_elf_machine(unsigned machine)
{
    enum { ARM = 40, XTENSA = 94, RISC_V = 243 };

    switch (machine) {
    case ARM:
        return " for Arm";
    case XTENSA:
        return " for Xtensa";
    case RISC_V:
        return " for RISC-V";
    default:
        return "";
    }
}

/* Linkers write the table of sections last, so a truncated file lacks it. */
static void judge_elf(struct inspection *inspection, struct view view)
{
    size_t table_size = (size_t)view_u16(view, 0x2E) * view_u16(view, 0x30);

    if (view_has(view, view_u32(view, 0x20), table_size))
        inspect_judge(inspection, INSPECT_CANNOT_TELL, "it has no checksum");
    else
        inspect_judge(inspection, INSPECT_TRUNCATED,
                      "the file ends before its table of sections does");
}

bool inspect_elf(struct inspection *inspection, struct view view)
{
    enum { CLASS_OFFSET = 4, CLASS_32 = 1, ORDER_OFFSET = 5, LITTLE_ENDIAN_ORDER = 1 };

    if (!view_equals(view, 0,
                     "\x7F"
                     "ELF",
                     4))
        return false;

    inspection->format = INSPECT_ELF;
    snprintf(inspection->name, sizeof inspection->name, "ELF file%s",
             name_elf_machine(view_u16(view, 0x12)));

    if (view_u8(view, CLASS_OFFSET) == CLASS_32 &&
        view_u8(view, ORDER_OFFSET) == LITTLE_ENDIAN_ORDER)
        judge_elf(inspection, view);
    else
        inspect_judge(inspection, INSPECT_CANNOT_TELL, "it is not for a chip of these boards");
    return true;
}
