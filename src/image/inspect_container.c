/*
 * inspect_container.c: UF2 (as in its specification) and ELF (System V ABI). Both carry firmware to
 * other tools. Over the air, only boards with LibreTiny take a file of theirs: the whole UF2.
 */
#include "image/inspect_internal.h"

#include <stdio.h>

enum { UF2_BLOCK_SIZE = 512 };

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

/* Names the chip that the block is for; for a board with LibreTiny also as kind.h names it. */
static void set_uf2_family(struct inspection *inspection, struct view view)
{
    static const struct {
        uint32_t family;
        const char *name;
        const char *libretiny;
    } families[] = {
        {0xE48BFF56, "RP2040", ""},          {0xE48BFF57, "RP2350", ""},
        {0xE48BFF59, "RP2350", ""},          {0xE48BFF5A, "RP2350", ""},
        {0xE48BFF5B, "RP2350", ""},          {0x7EAB61ED, "ESP8266", ""},
        {0x1C5F21B0, "ESP32", ""},           {0xBFDD4EEE, "ESP32-S2", ""},
        {0xC47E5767, "ESP32-S3", ""},        {0x2B88D29C, "ESP32-C2", ""},
        {0xD42BA06C, "ESP32-C3", ""},        {0xF71C0343, "ESP32-C5", ""},
        {0x540DDF62, "ESP32-C6", ""},        {0x77D850C4, "ESP32-C61", ""},
        {0x332726F6, "ESP32-H2", ""},        {0x3D308E94, "ESP32-P4", ""},
        {0x3101F7C1, "ESP32-S31", ""},       {0x68ED2B88, "SAMD21", ""},
        {0x55114460, "SAMD51", ""},          {0xADA52840, "nRF52840", ""},
        {0x7BE8976D, "RA4M1", ""},           {0x7B3EF230, "BK7231N", "bk72xx"},
        {0x675A40B0, "BK7231T", "bk72xx"},   {0xAFE81D49, "BK7231Q", "bk72xx"},
        {0x159AC324, "BK7238", "bk72xx"},    {0x6A82CC42, "BK7251", "bk72xx"},
        {0x9FFFD543, "RTL8710A", "rtl87xx"}, {0x22E0D6FC, "RTL8710B", "rtl87xx"},
        {0xE08F7564, "RTL8720C", "rtl87xx"}, {0x3379CFE2, "RTL8720D", "rtl87xx"},
        {0xA38090A8, "LN882H", "ln882x"},
    };
    enum { HAS_FAMILY = 0x2000, FLAGS_OFFSET = 8, FAMILY_OFFSET = 28 };

    if ((view_u32(view, FLAGS_OFFSET) & HAS_FAMILY) == 0)
        return;

    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (families[i].family != view_u32(view, FAMILY_OFFSET))
            continue;
        snprintf(inspection->name, sizeof inspection->name, "UF2 file for the %s",
                 families[i].name);
        snprintf(inspection->chip_name, sizeof inspection->chip_name, "%s", families[i].libretiny);
    }
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
    snprintf(inspection->name, sizeof inspection->name, "UF2 file");
    set_uf2_family(inspection, view_from(view, first));
    if (*inspection->chip_name)
        inspection->kind = INSPECT_SKETCH;
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
