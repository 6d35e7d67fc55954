/*
 * test-inspect_esp.c: images with Espressif's header, for every chip, and files made of them. Every
 * damage to an image with a hash is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/escape.h"
#include "support/inspected.h"

#include <stdio.h>
#include <string.h>

/* Addresses of each chip: in its mapped flash, and in the RAM of its boot loader. */
static const struct chip_row {
    uint16_t number;
    uint32_t flash;
    uint32_t ram;
    const char *name;
    const char *title;
} chips[] = {
    {0, 0x3F400020, 0x3FFF0030, "esp32", "ESP32"},
    {2, 0x3F000020, 0x3FFE6110, "esp32s2", "ESP32-S2"},
    {5, 0x3C000020, 0x3FCD5820, "esp32c3", "ESP32-C3"},
    {9, 0x3C000020, 0x3FCE2820, "esp32s3", "ESP32-S3"},
    {12, 0x3C000020, 0x3FCC5820, "esp32c2", "ESP32-C2"},
    {13, 0x42000020, 0x40875720, "esp32c6", "ESP32-C6"},
    {16, 0x42000020, 0x4083CD60, "esp32h2", "ESP32-H2"},
    {18, 0x40000020, 0x4FF33CE0, "esp32p4", "ESP32-P4"},
    {20, 0x42000020, 0x4083D7A0, "esp32c61", "ESP32-C61"},
    {23, 0x42000020, 0x40848A60, "esp32c5", "ESP32-C5"},
    {28, 0x42000020, 0x4083E000, "esp32h4", "ESP32-H4"},
    {25, 0x42000020, 0x4083C000, "esp32h21", "ESP32-H21"},
    {32, 0x40000020, 0x2F040000, "esp32s31", "ESP32-S31"},
    {4, 0x3C000020, 0x40378000, "esp32s3beta2", "ESP32-S3 (beta 2)"},
    {6, 0x3C000020, 0x40378000, "esp32s3beta3", "ESP32-S3 (beta 3)"},
    {7, 0x3C000020, 0x40380000, "esp32c6beta", "ESP32-C6 (beta)"},
    {10, 0x3C000020, 0x40380000, "esp32h2beta1", "ESP32-H2 (beta 1)"},
    {14, 0x3C000020, 0x40380000, "esp32h2beta2", "ESP32-H2 (beta 2)"},
    {17, 0x41800020, 0x40800000, "esp32c5beta3", "ESP32-C5 (beta 3)"},
};
enum { CHIPS = sizeof chips / sizeof *chips };

static void test_esp32_of_every_chip(void **state)
{
    char text[64];

    (void)state;
    for (size_t i = 0; i < CHIPS; i++)
        for (unsigned variant = 0; variant < 4; variant++) {
            firmware_make_esp32(&firmware,
                                &(struct firmware_esp32){chips[i].number, chips[i].flash,
                                                         (variant & 1) != 0, (variant & 2) != 0});
            snprintf(text, sizeof text, "can be sent as a sketch to %s boards", chips[i].title);
            expect(INSPECT_ESP32_APPLICATION, INSPECT_VALID, INSPECT_SENDABLE, chips[i].title,
                   text);
            assert_int_equal(inspection.families, ESP32);
            assert_int_equal(inspection.kind, INSPECT_SKETCH);
            assert_string_equal(inspection.chip_name, chips[i].name);
            assert_int_equal(inspection.has_application, variant & 1);
            assert_int_equal(inspection.image_size, firmware.size);
        }
}

static void make_esp32c3(void)
{
    firmware_make_esp32(&firmware, &(struct firmware_esp32){5, 0x3C000020, true, true});
}

static void test_esp32_fields(void **state)
{
    const struct inspect_application *application = &inspection.application;

    (void)state;
    make_esp32c3();
    inspect_firmware();
    assert_string_equal(application->project, "blink");
    assert_string_equal(application->version, "1.2.3");
    assert_string_equal(application->date, "Nov 24 2026");
    assert_string_equal(application->time, "12:34:56");
    assert_string_equal(application->idf, "v5.5.1");
    assert_string_equal(inspection.flash_mode, "DIO");
    assert_int_equal(inspection.flash_size, 4 << 20);
    assert_true(inspection.has_entry);
    assert_int_equal(inspection.entry, 0x40081C84);
    assert_int_equal(inspection.segment_count, 2);
    assert_int_equal(inspection.segments[0].address, 0x3C000020);
    assert_int_equal(inspection.segments[0].size, 260);
    assert_int_equal(inspection.segments[0].offset, 32);
    assert_int_equal(inspection.segments[1].offset, 32 + 260 + 8);
}

static void test_descriptor_is_not_trusted(void **state)
{
    const char *expected =
        "\\x1b\\n\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff"
        "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff"
        "\\xff\\xff\\xff";

    (void)state;
    make_esp32c3();
    memset(firmware.data + 32 + 16, 0xFF, 240); /* no text has an end */
    memcpy(firmware.data + 32 + 48, "\x1B\n", 2);
    inspect_firmware();
    assert_string_equal(inspection.application.project, expected);
    assert_true(escape_is_printable(inspection.application.version));
    assert_true(escape_is_printable(inspection.application.idf));
}

static void test_esp32_damage(void **state)
{
    static const struct {
        size_t offset;
        unsigned char value;
        enum inspect_integrity integrity;
        const char *evidence;
    } rows[] = {
        {1, 0, INSPECT_MALFORMED, "counts 0 segments"},
        {1, 17, INSPECT_MALFORMED, "counts 17 segments"},
        {1, 4, INSPECT_TRUNCATED, "segment 4 of 4"},
        {31, 0xFF, INSPECT_TRUNCATED, "segment 1 of 2"},
        {30, 1, INSPECT_TRUNCATED, "after 416 of its 65796 bytes"},
        {60, 1, INSPECT_BAD_CHECKSUM, "the checksum of the image is 0x"},
        {5, 1, INSPECT_BAD_SHA256, "SHA-256 is not that of the content"},
        {23, 0, INSPECT_CANNOT_TELL, "32 unknown bytes follow the image"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_esp32c3();
        firmware.data[rows[i].offset] = rows[i].value;
        inspect_firmware();
        assert_int_equal(inspection.integrity, rows[i].integrity);
        expect_text(inspection.evidence, rows[i].evidence);
        assert_int_equal(inspection.sending, rows[i].integrity == INSPECT_CANNOT_TELL
                                                 ? INSPECT_DOUBTFUL
                                                 : INSPECT_IMPOSSIBLE);
        assert_int_equal(inspection.families, rows[i].integrity == INSPECT_CANNOT_TELL ? ESP32 : 0);
    }
    make_esp32c3();
    firmware.size -= 7;
    expect(INSPECT_ESP32_APPLICATION, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "ESP32-C3",
           "should not be sent: it is truncated (the file ends within the SHA-256");
}

static void test_unknown_chip(void **state)
{
    (void)state;

    firmware_make_esp32(&firmware, &(struct firmware_esp32){77, 0x42000020, true, true});
    expect(INSPECT_ESP32_APPLICATION, INSPECT_VALID, INSPECT_IMPOSSIBLE, "ESP32 (unknown chip 77)",
           "an unknown ESP32 chip, number 77");
    assert_string_equal(inspection.chip_name, "77");

    /* an image for an unknown chip without a descriptor is not an application */
    firmware_make_esp32(&firmware, &(struct firmware_esp32){77, 0x42000020, .has_hash = true});
    expect(INSPECT_ESP32_BOOT_LOADER, INSPECT_VALID, INSPECT_IMPOSSIBLE, "ESP32 (unknown chip 77)",
           "boot loaders are not updated over the air");
    firmware_make_esp32(&firmware, &(struct firmware_esp32){31, 0x3C000020, .has_hash = true});
    expect(INSPECT_ESP32_APPLICATION, INSPECT_VALID, INSPECT_SENDABLE, "ESP32-E22", "to ESP32-E22");
    memcpy(firmware.data + 100, "ESP-IDF 2nd stage bootloader", 28);
    inspect_firmware();
    assert_int_equal(inspection.format, INSPECT_ESP32_BOOT_LOADER);
}

static void test_boot_loader(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHIPS; i++) {
        firmware_make_esp32(
            &firmware, &(struct firmware_esp32){chips[i].number, chips[i].ram, .has_hash = true});
        expect(INSPECT_ESP32_BOOT_LOADER, INSPECT_VALID, INSPECT_IMPOSSIBLE, chips[i].title,
               "boot loaders are not updated over the air");
        firmware_make_esp32(&firmware,
                            &(struct firmware_esp32){chips[i].number, chips[i].ram, true, true});
        expect(INSPECT_ESP32_APPLICATION, INSPECT_VALID, INSPECT_SENDABLE, chips[i].title, "can");
    }
    firmware_make_esp32(&firmware, &(struct firmware_esp32){9, 0x3FCE2820, .has_hash = true});
    expect(INSPECT_ESP32_BOOT_LOADER, INSPECT_VALID, INSPECT_IMPOSSIBLE, "ESP32-S3 boot loader",
           "usually firmware.bin");
    assert_int_equal(inspection.families, 0);
    assert_int_equal(inspection.kind, INSPECT_NEITHER);

    firmware_make_esp32(&firmware, &(struct firmware_esp32){77, 0x3FCE2820, .has_hash = true});
    firmware.data[32] = 0x50; /* a boot loader's descriptor (ESP-IDF 5.2 and later) */
    expect(INSPECT_ESP32_BOOT_LOADER, INSPECT_BAD_CHECKSUM, INSPECT_IMPOSSIBLE, "boot loader",
           "boot loaders are not updated over the air");
}

/* Without a descriptor, an ESP32's header is recognized by bytes that the boot ROM reads. */
static void test_header_alone(void **state)
{
    (void)state;

    firmware_make_esp32(&firmware, &(struct firmware_esp32){.chip = 9, .address = 0x3C000020});
    firmware.data[8] = 0;
    expect(INSPECT_ESP32_APPLICATION, INSPECT_VALID, INSPECT_SENDABLE, "ESP32-S3", "can be sent");
    firmware.data[23] = 2;
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
    firmware.data[23] = 0;
    firmware.data[12] = 77;
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
}

static void test_factory(void **state)
{
    static const size_t starts[] = {0, 0x1000, 0x2000};

    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        for (int is_padded = 0; is_padded < 2; is_padded++) {
            firmware_make_factory(&firmware, 2, starts[i], is_padded != 0);
            expect(INSPECT_ESP32_FACTORY, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE,
                   "ESP32-S2 factory image", "send the application image, usually firmware.bin");
        }

    firmware_make_factory(&firmware, 2, 0x1000, true);
    memset(firmware.data, 0, 0x1000); /* some tools pad with zeros */
    inspect_firmware();
    assert_int_equal(inspection.format, INSPECT_ESP32_FACTORY);
    firmware_make_factory(&firmware, 2, 0x1000, true);
    firmware.data[5] = 0; /* this is not erased flash */
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");

    make_esp32c3();
    firmware_fill(&firmware, 0xFF, 4096);
    expect(INSPECT_ESP32_APPLICATION, INSPECT_VALID, INSPECT_SENDABLE, "ESP32-C3", "can be sent");
    assert_int_equal(inspection.trailer, INSPECT_PADDING);
    assert_int_equal(inspection.trailer_size, 4096);
}

static void test_partition_table(void **state)
{
    (void)state;

    firmware_make_partition_table(&firmware, false);
    firmware.data[5] ^= 1; /* this address is not at a sector */
    expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "unknown", "may not work");
    firmware_make_partition_table(&firmware, false);
    for (unsigned type = 0; type <= 0xFE; type++) {
        firmware.data[2] = (unsigned char)type;
        inspect_firmware();
        assert_int_equal(inspection.format, INSPECT_ESP32_PARTITION_TABLE);
    }
    firmware.data[2] = 0xFF;
    inspect_firmware();
    assert_int_equal(inspection.format, INSPECT_UNKNOWN);
    firmware_make_partition_table(&firmware, false);
    expect(INSPECT_ESP32_PARTITION_TABLE, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE,
           "ESP32 partition table", "partition tables are not updated");
    firmware_make_partition_table(&firmware, true);
    expect(INSPECT_ESP32_PARTITION_TABLE, INSPECT_VALID, INSPECT_IMPOSSIBLE,
           "ESP32 partition table", "partition tables are not updated");
    firmware.data[9] ^= 1;
    expect(INSPECT_ESP32_PARTITION_TABLE, INSPECT_BAD_CHECKSUM, INSPECT_IMPOSSIBLE,
           "ESP32 partition table", "partition tables are not updated");
}

static void test_esp32_trailers(void **state)
{
    static const struct {
        unsigned char first;
        unsigned char rest;
        size_t size;
        enum inspect_trailer trailer;
    } rows[] = {
        {0xA5, 0, 512, INSPECT_STRAY_BYTES}, {0xA5, 0xA5, 512, INSPECT_STRAY_BYTES},
        {0, 0, 512, INSPECT_PADDING},        {0xFF, 0xFF, 512, INSPECT_PADDING},
        {0xA5, 0, 511, INSPECT_STRAY_BYTES}, {0xA5, 0, 1, INSPECT_STRAY_BYTES},
        {0xA5, 0, 513, INSPECT_STRAY_BYTES}, {0xFF, 0, 512, INSPECT_STRAY_BYTES},
        {0, 1, 68, INSPECT_STRAY_BYTES},
    };
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_stray = rows[i].trailer == INSPECT_STRAY_BYTES;

        make_esp32c3();
        size = firmware.size;
        firmware_fill(&firmware, rows[i].rest, rows[i].size);
        firmware.data[size] = rows[i].first;
        expect(INSPECT_ESP32_APPLICATION, is_stray ? INSPECT_CANNOT_TELL : INSPECT_VALID,
               is_stray ? INSPECT_DOUBTFUL : INSPECT_SENDABLE, "ESP32-C3",
               is_stray ? "follow the image" : "can be sent");
        assert_int_equal(inspection.trailer, rows[i].trailer);
        assert_int_equal(inspection.trailer_size, rows[i].size);
        assert_int_equal(inspection.image_size, size);
    }
    make_esp32c3();
    firmware_fill(&firmware, 0xFF, 4096 - firmware.size);
    firmware_add(&firmware, "\xE7\x02\x00\x00", 4);
    firmware_fill(&firmware, 0x55, 4092);
    inspect_firmware();
    assert_int_equal(inspection.trailer, INSPECT_SIGNATURE_SECURE_BOOT);
    make_esp32c3();
    firmware_add_u32(&firmware, 0); /* secure boot 1 has a version and 64 bytes */
    firmware_fill(&firmware, 0x55, 64);
    inspect_firmware();
    assert_int_equal(inspection.trailer, INSPECT_SIGNATURE_SECURE_BOOT);
}

static void fill_randomly(unsigned char *bytes, size_t size)
{
    unsigned seed = 1;

    memset(bytes, 0, INSPECT_ESP32_TRAILER_SIZE);
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1103515245U + 12345U;
        bytes[i] = (unsigned char)(seed >> 16 | (i % 128 == 127));
    }
}

static void expect_signature(const unsigned char *trailer, size_t size, bool is_ec)
{
    bool found;

    assert_int_equal(inspect_measure_esp32_signature(trailer, &found), size);
    if (size)
        assert_int_equal(found, is_ec);
}

/* Makes a signature of two numbers of r_size and s_size bytes; returns its whole size. */
static size_t make_ecdsa(unsigned char *trailer, size_t r_size, size_t s_size)
{
    unsigned char *s = trailer + 4 + r_size;

    fill_randomly(trailer, 6 + r_size + s_size);
    trailer[0] = 0x30;
    trailer[1] = (unsigned char)(4 + r_size + s_size);
    trailer[2] = s[0] = 0x02;
    trailer[3] = (unsigned char)r_size;
    s[1] = (unsigned char)s_size;
    trailer[4] = s[2] = 0x7F;
    trailer[5] = 0x7F;
    return 6 + r_size + s_size;
}

static const struct {
    size_t r_size, s_size, at; /* the byte at this offset is set to value; 0: none */
    unsigned char value;
    bool is_right;
} form_rows[] = {
    {32, 32, 0, 0, true},     {33, 32, 4, 0, false}, /* not its shortest form */
    {48, 48, 0, 0, true},     {49, 49, 0, 0, true},      {24, 32, 0, 0, true},
    {23, 32, 0, 0, false},    {32, 23, 0, 0, false},     {50, 32, 0, 0, false},
    {32, 32, 1, 67, false},   {32, 32, 1, 69, false},    {32, 32, 2, 3, false},
    {32, 32, 3, 31, false},   {32, 32, 36, 3, false},    {32, 32, 37, 33, false},
    {32, 32, 4, 0x80, false}, {32, 32, 38, 0xFF, false}, {32, 32, 511, 1, false},
    {32, 32, 70, 1, false},
};

static void test_form_of_a_signature_for_esp32(void **state)
{
    unsigned char trailer[INSPECT_ESP32_TRAILER_SIZE];

    (void)state;
    for (size_t size = 256; size <= 512; size += 128) {
        fill_randomly(trailer, size);
        expect_signature(trailer, size, false);
    }

    fill_randomly(trailer, 512);
    memset(trailer + 257, 0, 255);
    trailer[256] = 1; /* longer than RSA-2048, but shorter than RSA-3072 */
    expect_signature(trailer, 0, false);
    for (size_t i = 0; i < sizeof trailer; i++)
        trailer[i] = (unsigned char)i;
    expect_signature(trailer, 0, false);
    memset(trailer, 'x', sizeof trailer);
    expect_signature(trailer, 0, false);
    memset(trailer, 0, sizeof trailer);
    expect_signature(trailer, 0, false);
    for (size_t i = 0; i < sizeof trailer; i++)
        trailer[i] = (unsigned char)"A text that goes on and on, and is no signature. "[i % 49];
    expect_signature(trailer, 0, false);

    for (size_t i = 0; i < sizeof form_rows / sizeof *form_rows; i++) {
        size_t size = make_ecdsa(trailer, form_rows[i].r_size, form_rows[i].s_size);

        if (form_rows[i].at)
            trailer[form_rows[i].at] = form_rows[i].value;
        print_message("row %zu\n", i);
        expect_signature(trailer, form_rows[i].is_right ? size : 0, true);
    }
}

static void make_esp8266_with_crc(bool has_crc)
{
    firmware_make_esp8266(&firmware, &(struct firmware_esp8266){4, true, has_crc, 500});
}

static void test_esp8266(void **state)
{
    (void)state;

    for (int has_crc = 0; has_crc < 2; has_crc++) {
        make_esp8266_with_crc(has_crc != 0);
        expect(INSPECT_ESP8266, INSPECT_VALID, INSPECT_SENDABLE, "ESP8266 image",
               "can be sent as a sketch to ESP8266 boards");
        expect_text(inspection.evidence,
                    has_crc ? "CRC-32 are correct" : "its checksums are correct");
        assert_int_equal(inspection.families, ESP8266);
        assert_true(inspection.has_eboot);
        assert_int_equal(inspection.segment_count, 2);
        assert_int_equal(inspection.segments[0].offset, 4096 + 16);
        assert_int_equal(inspection.segments[0].size, 500);
        assert_int_equal(inspection.entry, 0x40100004);
        assert_int_equal(inspection.image_size, firmware.size);
        assert_int_equal(inspection.flash_size, 4 << 20);
        assert_string_equal(inspection.flash_mode, "DIO");
        assert_int_equal(inspection.ota_room, (4 << 20) - 5 * 4096 - 2 * 4096);
    }
}

static void test_esp8266_padding(void **state)
{
    (void)state;

    make_esp8266_with_crc(false);
    firmware_fill(&firmware, 0xFF, 100);
    expect(INSPECT_ESP8266, INSPECT_VALID, INSPECT_SENDABLE, "ESP8266 image", "ESP8266 boards");
    assert_int_equal(inspection.trailer, INSPECT_PADDING);
    assert_int_equal(inspection.trailer_size, 100);
    firmware.data[firmware.size - 1] = 0xFE;
    inspect_firmware();
    assert_int_equal(inspection.trailer, INSPECT_STRAY_BYTES);
}

static void test_esp8266_without_eboot(void **state)
{
    (void)state;
    firmware_make_esp8266(&firmware, &(struct firmware_esp8266){2, .size = 300});
    expect(INSPECT_ESP8266, INSPECT_VALID, INSPECT_IMPOSSIBLE, "ESP8266 image of another SDK",
           "would need a cable");
    assert_false(inspection.has_eboot);
    assert_int_equal(inspection.families, 0);

    firmware_fill(&firmware, 0x5A, 32); /* like the hash of the RTOS SDK: a lesser objection */
    expect(INSPECT_ESP8266, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "of another SDK",
           "would need a cable");
    firmware_make_esp8266(&firmware, &(struct firmware_esp8266){2, .size = 300});
    firmware_set_u32(&firmware, 8, 0x40100000); /* no segment is in flash */
    expect(INSPECT_ESP8266, INSPECT_VALID, INSPECT_IMPOSSIBLE, "ESP8266 boot loader",
           "would need a cable");
    firmware_make_esp8266(&firmware, &(struct firmware_esp8266){2, .size = 300});
    firmware.data[0] = 0xEA;
    firmware.data[1] = 4;
    firmware_set_u32(&firmware, 8, 0);
    expect(INSPECT_ESP8266, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "ESP8266 user image",
           "would need a cable");
}

static void test_esp8266_damage(void **state)
{
    (void)state;

    make_esp8266_with_crc(true);
    firmware.data[5000 - 700] ^= 4;
    expect(INSPECT_ESP8266, INSPECT_BAD_CHECKSUM, INSPECT_IMPOSSIBLE, "ESP8266", "is corrupt");
    expect_text(inspection.evidence, "its CRC-32 is 0x");
    make_esp8266_with_crc(false);
    firmware.data[4200] ^= 4;
    inspect_firmware();
    expect_text(inspection.evidence, "the checksum of the sketch");
    firmware.data[20] ^= 4;
    inspect_firmware();
    expect_text(inspection.evidence, "the checksum of eboot");
    make_esp8266_with_crc(true);
    firmware.data[4096] = 0xEA;
    expect(INSPECT_ESP8266, INSPECT_MALFORMED, INSPECT_IMPOSSIBLE, "ESP8266", "there is 0xea");
    make_esp8266_with_crc(true);
    firmware.size = 4096;
    expect(INSPECT_ESP8266, INSPECT_TRUNCATED, INSPECT_IMPOSSIBLE, "ESP8266",
           "the file ends before the sketch");
}

static void test_esp8266_flash_sizes(void **state)
{
    static const struct {
        unsigned char code;
        unsigned kib;
    } rows[] = {{0, 512},  {1, 256}, {2, 1024}, {3, 2048},  {4, 4096}, {5, 2048},
                {6, 4096}, {7, 0},   {8, 8192}, {9, 16384}, {10, 0},   {15, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        firmware_make_esp8266(&firmware, &(struct firmware_esp8266){rows[i].code, true, true, 90});
        expect(INSPECT_ESP8266, INSPECT_VALID, INSPECT_SENDABLE, "ESP8266", "can be sent");
        assert_int_equal(inspection.flash_size, rows[i].kib * 1024);
    }
}

static void test_esp8266_room(void **state)
{
    enum {
        SECTOR = 4096,
        REST = SECTOR + 16 + 8 + 33
    }; /* for eboot, headers and the other segment */

    (void)state;
    /* 64 - 5 = 59 sectors: two sketches of 29 sectors fit, two of 30 do not */
    firmware_make_esp8266(&firmware,
                          &(struct firmware_esp8266){1, true, true, 15 * SECTOR - REST - 15});
    expect(INSPECT_ESP8266, INSPECT_VALID, INSPECT_SENDABLE, "ESP8266", "can be sent");
    assert_int_equal(inspection.ota_room, (64 - 5 - 15) * SECTOR);
    firmware_make_esp8266(&firmware, &(struct firmware_esp8266){1, true, true, 15 * SECTOR - REST});
    inspect_firmware();
    assert_int_equal(inspection.ota_room, (64 - 5 - 16) * SECTOR);
    firmware_make_esp8266(&firmware,
                          &(struct firmware_esp8266){1, true, true, 29 * SECTOR - REST - 15});
    expect(INSPECT_ESP8266, INSPECT_VALID, INSPECT_SENDABLE, "ESP8266", "can be sent");
    firmware_make_esp8266(&firmware, &(struct firmware_esp8266){1, true, true, 29 * SECTOR - REST});
    expect(INSPECT_ESP8266, INSPECT_VALID, INSPECT_DOUBTFUL, "ESP8266",
           "may not fit: it is for a flash of 262144 bytes, in which a running sketch of the same "
           "size leaves at most 118784 bytes");
    firmware_gzip(&firmware); /* compressed, it fits */
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_SENDABLE, "ESP8266", "can be sent");
}

static void test_esp8266_signature(void **state)
{
    static const size_t sizes[] = {128, 256, 384, 512};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        make_esp8266_with_crc(true);
        firmware_sign_esp8266(&firmware, sizes[i]);
        expect(INSPECT_ESP8266, INSPECT_VALID, INSPECT_SENDABLE, "ESP8266", "can be sent");
        assert_int_equal(inspection.trailer, INSPECT_SIGNATURE_ESP8266);
        assert_int_equal(inspection.trailer_size, sizes[i] + 4);
    }
    make_esp8266_with_crc(true);
    firmware_sign_esp8266(&firmware, 257);
    expect(INSPECT_ESP8266, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "ESP8266",
           "may not work: 261 unknown bytes follow");
    assert_int_equal(inspection.trailer, INSPECT_STRAY_BYTES);
    make_esp8266_with_crc(true);
    firmware_fill(&firmware, 0xA5, 40); /* the signature is longer than its length */
    firmware_sign_esp8266(&firmware, 256);
    inspect_firmware();
    assert_int_equal(inspection.trailer, INSPECT_STRAY_BYTES);
    make_esp8266_with_crc(true);
    firmware_sign_esp8266(&firmware, 256);
    firmware_set_u32(&firmware, firmware.size - 4, 384);
    inspect_firmware();
    assert_int_equal(inspection.trailer, INSPECT_STRAY_BYTES);
}

static void test_no_damage_to_esp32_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHIPS; i++) {
        firmware_make_esp32(&firmware,
                            &(struct firmware_esp32){chips[i].number, chips[i].flash, true, true});
        expect_no_cut_is_valid();
    }
    expect_no_flip_is_valid(0, firmware.size);
}

static void test_no_damage_to_esp8266_is_valid(void **state)
{
    (void)state;

    make_esp8266_with_crc(true);
    expect_no_cut_is_valid();
    expect_no_flip_is_valid(0, firmware.size);

    /* without a CRC, no checksum covers headers and padding */
    make_esp8266_with_crc(false);
    expect_no_cut_is_valid();
    expect_no_flip_is_valid(16, 16 + 90);
    expect_no_flip_is_valid(4096 + 16, 4096 + 16 + 500);
    expect_no_flip_is_valid(firmware.size - 1, firmware.size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_esp32_of_every_chip),
        cmocka_unit_test(test_esp32_fields),
        cmocka_unit_test(test_descriptor_is_not_trusted),
        cmocka_unit_test(test_esp32_damage),
        cmocka_unit_test(test_unknown_chip),
        cmocka_unit_test(test_boot_loader),
        cmocka_unit_test(test_header_alone),
        cmocka_unit_test(test_factory),
        cmocka_unit_test(test_partition_table),
        cmocka_unit_test(test_esp32_trailers),
        cmocka_unit_test(test_form_of_a_signature_for_esp32),
        cmocka_unit_test(test_esp8266),
        cmocka_unit_test(test_esp8266_padding),
        cmocka_unit_test(test_esp8266_without_eboot),
        cmocka_unit_test(test_esp8266_damage),
        cmocka_unit_test(test_esp8266_flash_sizes),
        cmocka_unit_test(test_esp8266_room),
        cmocka_unit_test(test_esp8266_signature),
        cmocka_unit_test(test_no_damage_to_esp32_is_valid),
        cmocka_unit_test(test_no_damage_to_esp8266_is_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
