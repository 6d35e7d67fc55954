/*
 * test-inspect_others.c: files for the Pico, filesystem images, and formats that no board accepts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/inspected.h"

#include <stdlib.h>
#include <string.h>

static void test_pico(void **state)
{
    (void)state;
    firmware_make_rp2040(&firmware);
    expect(INSPECT_PICO, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "RP2040 image",
           "as a sketch to Pico W boards");
    assert_int_equal(inspection.families, PICO);
    assert_int_equal(inspection.entry, 0x100001F6);
    firmware_set_u32(&firmware, 256, 0); /* the vector table may have another place */
    expect(INSPECT_PICO, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "RP2040 image", "Pico W boards");
    assert_false(inspection.has_entry);
    firmware_make_rp2040(&firmware);
    firmware.data[3] ^= 1;
    expect(INSPECT_PICO, INSPECT_BAD_CHECKSUM, INSPECT_IMPOSSIBLE, "RP2040 image", "is corrupt");
    firmware_set_u32(&firmware, 256, 0x20042004 + 0x40000); /* no RAM: nothing is valid any more */
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown format", "may not");
    firmware_set_u32(&firmware, 256, 0x20042000);
    firmware_set_u32(&firmware, 260, 0x100001F8); /* this is not Thumb code */
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown format", "may not");

    firmware_make_rp2350(&firmware);
    expect(INSPECT_PICO, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "RP2350 image", "Pico W boards");
    assert_string_equal(inspection.chip_name, "rp2350");
    firmware.data[8 + 0x130 + 7] = 0; /* the image definition is for the RP2040 */
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
}

/* A cut image is only noticed if the image has the address of its own end. */
static void test_pico_cut(void **state)
{
    enum { BLOCK = 8 + 0x130, NEXT = BLOCK + 12, END_BLOCK = 812, FACTS = 0x108 };

    (void)state;
    firmware_make_rp2350(&firmware);
    assert_int_equal(firmware.size, END_BLOCK + 20);
    firmware_set_u32(&firmware, NEXT, END_BLOCK - BLOCK);
    expect(INSPECT_PICO, INSPECT_MALFORMED, INSPECT_IMPOSSIBLE, "RP2350", "no block at byte 812");
    firmware_set_u32(&firmware, END_BLOCK, 0xFFFFDED3);
    firmware_set_u32(&firmware, END_BLOCK + 4, 0x000001FE);
    firmware_set_u32(&firmware, END_BLOCK + 8, 0x000001FF);
    firmware_set_u32(&firmware, END_BLOCK + 12, (uint32_t)(BLOCK - END_BLOCK));
    firmware_set_u32(&firmware, END_BLOCK + 16, 0xAB123579);
    expect(INSPECT_PICO, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "RP2350", "to Pico W boards");
    expect_text(inspection.evidence, "up to the end block");
    firmware.size = END_BLOCK;
    expect(INSPECT_PICO, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "RP2350",
           "its end block should be at byte 812");

    firmware_make_rp2040(&firmware);
    firmware_set_u32(&firmware, FACTS, 0x7188EBF2);
    firmware_set_u32(&firmware, FACTS + 4, 0x10000200);
    firmware_set_u32(&firmware, FACTS + 8, 0x10000000 + (uint32_t)firmware.size);
    firmware_set_u32(&firmware, FACTS + 16, 0xE71AA390);
    expect(INSPECT_PICO, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "RP2040", "to Pico W boards");
    firmware.size--;
    expect(INSPECT_PICO, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "RP2040", "table of facts");
}

static void test_uf2(void **state)
{
    (void)state;
    firmware_make_uf2(&firmware, 0xE48BFF56, 3);
    expect(INSPECT_UF2, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "UF2 file for the RP2040",
           "send the .bin file");
    firmware.size--;
    expect(INSPECT_UF2, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "UF2", "USB drive");
    firmware_make_uf2(&firmware, 0xE48BFF56, 3);
    firmware.data[1023] ^= 1;
    expect(INSPECT_UF2, INSPECT_MALFORMED, INSPECT_IMPOSSIBLE, "UF2", "USB drive");
    firmware_make_uf2(&firmware, 0xE48BFF56, 3);
    firmware.data[512] = 'V';
    expect(INSPECT_UF2, INSPECT_MALFORMED, INSPECT_IMPOSSIBLE, "UF2", "block 2 of 3 is damaged");
    firmware_make_uf2(&firmware, 0xE48BFF56, 3);
    memset(firmware.data, 0, 8); /* the blocks behind are whole */
    expect(INSPECT_UF2, INSPECT_MALFORMED, INSPECT_IMPOSSIBLE, "UF2 file for the RP2040",
           "block 1 of 3 is damaged");
    firmware_make_uf2(&firmware, 0x540DDF62, 3);
    firmware.size -= 512;
    expect(INSPECT_UF2, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "UF2 file for the ESP32-C6",
           "1 more should follow");
    firmware_make_uf2(&firmware, 0xE48BFF56, 3);
    firmware_set_u32(&firmware, 512 + 20, 2); /* one block is missing */
    expect(INSPECT_UF2, INSPECT_MALFORMED, INSPECT_IMPOSSIBLE, "UF2", "block 2 of 3 is damaged");

    /* for boards with LibreTiny */
    firmware_make_uf2(&firmware, 0x7B3EF230, 3);
    expect(INSPECT_UF2, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "UF2 file for the BK7231N",
           "boards with ESPHome (LibreTiny)");
    assert_string_equal(inspection.chip_name, "bk72xx");
    firmware_set_u32(&firmware, 512 + 4, 0);
    expect(INSPECT_UF2, INSPECT_MALFORMED, INSPECT_IMPOSSIBLE, "UF2", "block 2 of 3 is damaged");

    /* for an unknown family, and for none */
    firmware_make_uf2(&firmware, 0x12345678, 1);
    expect(INSPECT_UF2, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "UF2 file", "USB drive");
    assert_null(strstr(inspection.name, " for "));
    firmware_make_uf2(&firmware, 0xE48BFF56, 1);
    firmware_set_u32(&firmware, 8, 0);
    expect(INSPECT_UF2, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "UF2 file", "USB drive");
    assert_null(strstr(inspection.name, " for "));
}

static void test_elf(void **state)
{
    (void)state;
    firmware_make_elf(&firmware, 94);
    expect(INSPECT_ELF, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "ELF file for Xtensa",
           "the linker's output");
    firmware.size--;
    expect(INSPECT_ELF, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "ELF", "the linker's output");
    firmware_make_elf(&firmware, 62);
    firmware.data[4] = 2;
    expect(INSPECT_ELF, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "ELF", "the linker's output");
}

static void test_intel_hex(void **state)
{
    static const struct {
        const char *text;
        enum inspect_integrity integrity;
        const char *evidence;
    } rows[] = {
        {":00000001FF", INSPECT_VALID, "1 records"},
        {":00000001ff\n", INSPECT_VALID, "1 records"},
        {":0400100000000000EC\n", INSPECT_TRUNCATED, "ends in line 1"},
        {":0400100000000000EC\n:000", INSPECT_TRUNCATED, "ends in line 2"},
        {":0400100000000000EC\n:", INSPECT_TRUNCATED, "ends in line 2"},
        {":0400100000000000EC\n:00000001FE\n", INSPECT_BAD_CHECKSUM, "the checksum of line 2"},
        {":0400100000000000ED\n:00000001FF\n", INSPECT_BAD_CHECKSUM, "the checksum of line 1"},
        {"\n\xEF\n:0400100000000000EC\n:00000001FF\n", INSPECT_MALFORMED, "line 2 is not"},
        {":0400100000000000EC\nhello\n", INSPECT_MALFORMED, "line 2 is not a record"},
        {":0400100000000000EC\n:0g000001FF\n", INSPECT_MALFORMED, "line 2 is not a record"},
    };

    (void)state;
    firmware_make_hex(&firmware);
    expect(INSPECT_INTEL_HEX, INSPECT_VALID, INSPECT_IMPOSSIBLE, "Intel HEX file", "not text");
    expect_text(inspection.evidence, "4 records");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        firmware_clear(&firmware);
        firmware_add(&firmware, rows[i].text, strlen(rows[i].text));
        expect(INSPECT_INTEL_HEX, rows[i].integrity, INSPECT_IMPOSSIBLE, "Intel HEX", "not text");
        expect_text(inspection.evidence, rows[i].evidence);
        if (rows[i].integrity != INSPECT_VALID)
            expect_text(inspection.verdict, rows[i].evidence);
    }
    firmware_clear(&firmware);
    firmware_add(&firmware, ":-) is no record", 16);
    expect(INSPECT_TEXT, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "text file", "not firmware");
}

/* The size of the blocks, the whole size and the version decide which boards mount it. */
static void test_littlefs_geometry(void **state)
{
    static const struct {
        size_t block_size;
        uint32_t blocks;
        uint32_t version;
        unsigned families;
    } rows[] = {
        {4096, 8, 0x20000, ESP8266 | ESP32 | PICO},
        {4096, 8, 0x20001, ESP32 | PICO},
        {8192, 4, 0x20000, ESP8266},
        {8192, 4, 0x20001, 0},
        {512, 64, 0x20000, 0},
        {32768, 2, 0x20000, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        firmware_make_littlefs(&firmware, rows[i].block_size, rows[i].blocks);
        firmware_set_u32(&firmware, 20, rows[i].version);
        expect(INSPECT_LITTLEFS, INSPECT_CANNOT_TELL,
               rows[i].families != 0 ? INSPECT_SENDABLE : INSPECT_IMPOSSIBLE, "LittleFS",
               rows[i].families != 0 ? "can be sent as a filesystem image to"
                                     : "no board mounts it");
        assert_int_equal(inspection.families, rows[i].families);
    }
}

/* From 512 KiB on, the ESP8266's core has larger blocks. */
static void test_large_littlefs(void **state)
{
    enum { SIZE = 512 * 1024 };
    unsigned char *data = calloc(1, SIZE);

    (void)state;
    assert_non_null(data);
    firmware_make_littlefs(&firmware, 4096, 8);
    firmware_set_u32(&firmware, 28, SIZE / 4096);
    memcpy(data, firmware.data, firmware.size);
    inspect_bytes(data, SIZE);
    assert_int_equal(inspection.families, ESP32 | PICO);
    expect_text(inspection.verdict, "to ESP32 and Pico W boards");
    free(data);
}

static void test_littlefs(void **state)
{
    (void)state;
    firmware_make_littlefs(&firmware, 4096, 8);
    expect(INSPECT_LITTLEFS, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "LittleFS filesystem image",
           "as a filesystem image to ESP8266, ESP32 and Pico W boards");
    assert_int_equal(inspection.kind, INSPECT_FILESYSTEM);
    assert_int_equal(inspection.families, ESP8266 | ESP32 | PICO);

    firmware_sign_esp8266(&firmware, 256);
    inspect_firmware();
    assert_int_equal(inspection.trailer, INSPECT_SIGNATURE_ESP8266);
    assert_int_equal(inspection.families, ESP8266 | PICO);

    firmware_fill(&firmware, 0x5A, 512 - 260);
    inspect_firmware();
    assert_int_equal(inspection.trailer, INSPECT_STRAY_BYTES);

    firmware.size -= 512;
    for (unsigned i = 0, seed = 1; i < 512; i++) {
        seed = seed * 1103515245U + 12345U;
        firmware_fill(&firmware, (unsigned char)(seed >> 16), 1);
    }
    inspect_firmware();
    assert_int_equal(inspection.trailer, INSPECT_SIGNATURE_ESP32);
    assert_int_equal(inspection.families, ESP32);

    firmware.size -= 512 + 4096;
    expect(INSPECT_LITTLEFS, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "LittleFS", "is truncated");
    firmware_set_u32(&firmware, 24, 0xFFFFFFFF);
    firmware_set_u32(&firmware, 28, 0xFFFFFFFF);
    expect(INSPECT_LITTLEFS, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "LittleFS",
           "18446744065119617025 bytes");

    firmware_make_littlefs(&firmware, 4096, 4);
    firmware_set_u32(&firmware, 20, 0x00010007); /* an unknown version */
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
}

static void test_fat(void **state)
{
    (void)state;
    firmware_make_fat(&firmware, false);
    firmware.data[21] = 0x12;
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");

    firmware_make_fat(&firmware, false);
    expect(INSPECT_FAT, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "FAT filesystem image",
           "to ESP32 boards");
    firmware.size--;
    expect(INSPECT_FAT, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "FAT", "32768 bytes");

    firmware_make_fat(&firmware, true);
    expect(INSPECT_FAT, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "FAT", "to ESP32 boards");
    assert_int_equal(inspection.image_size, firmware.size);
    firmware.data[4096] = 0xE9; /* the other jump; it is Espressif's magic number, too */
    expect(INSPECT_FAT, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "FAT", "to ESP32 boards");
}

/* Each field of the boot sector counts. */
static void test_fat_boot_sector(void **state)
{
    static const struct {
        size_t offset;
        unsigned char byte;
    } bad[] = {
        {0, 0xEC}, {2, 0x91}, {12, 0x11}, {12, 0x01}, {12, 0x20}, {12, 0},  {13, 0},
        {13, 3},   {14, 0},   {16, 0},    {16, 3},    {21, 0xF1}, {510, 0}, {511, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        firmware_make_fat(&firmware, false);
        firmware.data[bad[i].offset] = bad[i].byte;
        inspect_firmware();
        if (inspection.format == INSPECT_FAT)
            fail_msg("byte %zu, %02x: %s", bad[i].offset, bad[i].byte, inspection.name);
    }
    firmware_make_fat(&firmware, false);
    firmware.data[0] = 0xE9; /* the other kind of jump, with three bytes */
    firmware.data[2] = 0;
    firmware.data[21] = 0xF0;
    firmware.data[16] = 2;
    expect(INSPECT_FAT, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "FAT", "to ESP32 boards");

    /* a number of sectors over 16 bits has another place */
    firmware_set_u16(&firmware, 19, 0);
    firmware_set_u32(&firmware, 32, 8);
    expect(INSPECT_FAT, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "FAT", "to ESP32 boards");
    firmware_set_u32(&firmware, 32, 0x20000);
    expect(INSPECT_FAT, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "FAT", "536870912 bytes");
}

/* A broken chain of blocks proves nothing, and neither does a wrong table of facts. */
static void test_pico_leads_nowhere(void **state)
{
    enum { BLOCK = 8 + 0x130, FACTS = 0x108 };
    static const struct {
        size_t offset;
        uint32_t value;
    } blocks[] =
        {
            {BLOCK + 12, 0xF0000000}, /* leads before the image */
            {BLOCK + 12, 0x10000000}, /* leads behind all flash */
            {BLOCK + 16, 0xAB12357A}, /* has no end mark */
            {BLOCK + 8, 0x00000003},  /* has an item of size 0 */
            {BLOCK + 8, 0x00FFFF81},  /* has an item that exceeds the file */
        },
      facts[] = {
          {FACTS, 0x7188EBF3},     {FACTS + 4, 0x0FFFFFFF},  {FACTS + 8, 0x10000100},
          {FACTS + 8, 0x12000000}, {FACTS + 16, 0xE71AA391},
      };

    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        firmware_make_rp2350(&firmware);
        firmware_set_u32(&firmware, blocks[i].offset, blocks[i].value);
        expect(INSPECT_PICO, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "RP2350", "to Pico W boards");
    }
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        firmware_make_rp2040(&firmware);
        firmware_set_u32(&firmware, FACTS, 0x7188EBF2);
        firmware_set_u32(&firmware, FACTS + 4, 0x10000200);
        firmware_set_u32(&firmware, FACTS + 8, 0x10000001 + (uint32_t)firmware.size);
        firmware_set_u32(&firmware, FACTS + 16, 0xE71AA390);
        expect(INSPECT_PICO, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "RP2040", "table of facts");
        firmware_set_u32(&firmware, facts[i].offset, facts[i].value);
        expect(INSPECT_PICO, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "RP2040", "to Pico W boards");
    }

    /* an item with a size of two bytes leads to the end block as well */
    firmware_make_rp2350(&firmware);
    firmware_set_u32(&firmware, BLOCK + 4, 0x10210142);
    firmware_set_u32(&firmware, BLOCK + 8, 0x00000281);
    firmware_set_u32(&firmware, BLOCK + 16, 0x000001FF);
    firmware_set_u32(&firmware, BLOCK + 20, 0x4000);
    firmware_set_u32(&firmware, BLOCK + 24, 0xAB123579);
    expect(INSPECT_PICO, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "RP2350", "its end block");
}

static void test_spiffs(void **state)
{
    static const size_t block_sizes[] = {4096, 8192};

    (void)state;
    for (size_t i = 0; i < sizeof block_sizes / sizeof *block_sizes; i++)
        for (int is_counted = 0; is_counted < 2; is_counted++) {
            firmware_make_spiffs(&firmware, block_sizes[i], 7, is_counted != 0);
            expect(INSPECT_SPIFFS, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "SPIFFS filesystem image",
                   i == 0 ? "to ESP8266 and ESP32 boards" : "to ESP8266 boards");
            expect_text(inspection.evidence, is_counted != 0 ? "it has the size that it should have"
                                                             : "nothing in it tells its size");
        }
    firmware_sign_esp8266(&firmware, 256);
    inspect_firmware();
    assert_int_equal(inspection.trailer, INSPECT_SIGNATURE_ESP8266);
    firmware_make_spiffs(&firmware, 4096, 9, true);
    firmware.size = (size_t)5 * 4096;
    expect(INSPECT_SPIFFS, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "SPIFFS", "36864 bytes");
    firmware_set_u16(&firmware, 3 * 4096 + 256 - 4, 0);
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pico),
        cmocka_unit_test(test_pico_cut),
        cmocka_unit_test(test_uf2),
        cmocka_unit_test(test_elf),
        cmocka_unit_test(test_intel_hex),
        cmocka_unit_test(test_littlefs),
        cmocka_unit_test(test_fat),
        cmocka_unit_test(test_spiffs),
        cmocka_unit_test(test_fat_boot_sector),
        cmocka_unit_test(test_pico_leads_nowhere),
        cmocka_unit_test(test_littlefs_geometry),
        cmocka_unit_test(test_large_littlefs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
