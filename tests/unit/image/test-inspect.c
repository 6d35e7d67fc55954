/*
 * test-inspect.c: gzip files, files of unknown formats, and real ones. Every damage to a file with
 * a checksum is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/inspect_internal.h"
#include "support/inspected.h"
#include "support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory is allocated only for the unpacked data of gzip files. */
static bool is_out_of_memory;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
    return is_out_of_memory ? NULL : __real_realloc(memory, size);
}

static void test_inspection_no_memory(void **state)
{
    (void)state;
    firmware_make_rp2040(&firmware);
    firmware_gzip(&firmware);
    is_out_of_memory = true;
    expect(INSPECT_GZIP, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "gzip file", "may not work");
    is_out_of_memory = false;
    expect_text(inspection.evidence, "not enough memory");
}

/* What is not in the file, or only in part, is zero: no read leaves it. */
static void test_views(void **state)
{
    static const unsigned char bytes[] = {1, 2, 3, 4, 5};
    const struct view view = {bytes, sizeof bytes};
    const struct view rest = view_from(view, 3), nothing = view_from(view, 9);

    (void)state;
    assert_int_equal(view_u8(view, 4), 5);
    assert_int_equal(view_u8(view, 5), 0);
    assert_int_equal(view_u16(view, 3), 0x0504);
    assert_int_equal(view_u16(view, 4), 0);
    assert_int_equal(view_u16(view, SIZE_MAX), 0);
    assert_int_equal(view_u32(view, 1), 0x05040302);
    assert_int_equal(view_u32(view, 2), 0);
    assert_int_equal(view_u32(view, SIZE_MAX - 1), 0);
    assert_true(view_equals(view, 3, "\4\5", 2));
    assert_false(view_equals(view, 3, "\4\5", 3));
    assert_int_equal(rest.size, 2);
    assert_int_equal(view_u16(rest, 0), 0x0504);
    assert_int_equal(nothing.size, 0);
    assert_int_equal(view_u8(nothing, 0), 0);
}

static const struct firmware_esp8266 sketch = {4, true, true, 500};

static void test_gzip(void **state)
{
    size_t size;

    (void)state;
    firmware_make_esp8266(&firmware, &sketch);
    size = firmware.size;
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_SENDABLE, "gzip file (ESP8266 image)",
           "as a sketch to ESP8266 boards");
    assert_int_equal(inspection.inner, INSPECT_ESP8266);
    assert_int_equal(inspection.unpacked_size, size);
    assert_int_equal(inspection.image_size, firmware.size);
    assert_int_equal(inspection.families, ESP8266);

    firmware_sign_esp8266(&firmware, 256);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "gzip", "it is compressed and signed");
    assert_int_equal(inspection.trailer, INSPECT_SIGNATURE_ESP8266);
    assert_int_equal(inspection.families, 0);

    firmware_fill(&firmware, 0, 1);
    expect(INSPECT_GZIP, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "gzip",
           "261 bytes follow the compressed data");

    firmware_make_esp8266(&firmware, &sketch);
    firmware.data[4300] ^= 1;
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_BAD_CHECKSUM, INSPECT_IMPOSSIBLE, "ESP8266", "is corrupt");
}

static void test_gzip_of_each_format(void **state)
{
    static const struct firmware_esp32 application = {5, 0x3C000020, true, true};

    (void)state;
    firmware_make_esp32(&firmware, &application);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "gzip", "do not unpack gzip");

    firmware_make_fat(&firmware, false);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "FAT", "do not unpack gzip");

    firmware_make_esp8266(&firmware, &sketch);
    firmware_fill(&firmware, 0xA5, 9);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_CANNOT_TELL, INSPECT_SENDABLE, "ESP8266", "can be sent");

    firmware_make_factory(&firmware, 0, 0x1000, false);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "factory", "only a cable");

    firmware_make_rp2040(&firmware);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_SENDABLE, "RP2040", "to Pico W boards");

    firmware_clear(&firmware);
    firmware_add(&firmware, "\0nothing known", 14);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_DOUBTFUL, "unknown", "may not work");
    firmware_sign_esp8266(&firmware, 256);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "unknown", "compressed and signed");
}

static void test_gzip_of_littlefs(void **state)
{
    (void)state;
    firmware_make_littlefs(&firmware, 4096, 8);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_DOUBTFUL, "LittleFS", "ATOMIC_FS_UPDATE");
    assert_int_equal(inspection.families, ESP8266);

    firmware_make_littlefs(&firmware, 4096, 125); /* the ESP8266 has larger blocks from here on */
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "LittleFS",
           "the boards that could mount it do not unpack gzip");

    firmware_make_littlefs(&firmware, 4096, 8);
    firmware_set_u32(&firmware, 20, 0x00020001);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "LittleFS",
           "the boards that could mount it do not unpack gzip");
}

/* A packed file that is not firmware is still not firmware. Boards unpack only once. */
static void test_gzip_of_no_firmware(void **state)
{
    static const struct firmware_esp8266 foreign = {.flash = 4, .size = 500};

    (void)state;
    firmware_clear(&firmware);
    firmware_add(&firmware, "no firmware, but text", 21);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "gzip file (text file)",
           "it unpacks to a text file, not firmware");
    firmware_clear(&firmware);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "gzip file (empty file)",
           "it unpacks to an empty file");
    firmware_make_esp8266(&firmware, &sketch);
    firmware_gzip(&firmware);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "gzip file (gzip file)",
           "it unpacks to a gzip file");
    firmware_make_esp8266(&firmware, &foreign);
    firmware_gzip(&firmware);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "ESP8266", "eboot");
    assert_int_equal(inspection.families, 0);
    firmware_sign_esp8266(&firmware, 256);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "ESP8266", "eboot");
}

/* A few bytes unpack to 17 MiB of zeros. */
static void test_gzip_bomb(void **state)
{
    (void)state;
    firmware_make_bomb(&firmware, 17 << 20);
    expect(INSPECT_GZIP, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "gzip file",
           "more than 16777216 bytes, which no board has room for");
    firmware_make_bomb(&firmware, 16 << 20);
    expect(INSPECT_GZIP, INSPECT_VALID, INSPECT_IMPOSSIBLE, "gzip file", "nothing but 0x00 bytes");
    assert_int_equal(inspection.unpacked_size, 16 << 20);
}

static void test_nothing_known(void **state)
{
    static const struct {
        const char *data;
        size_t size;
        const char *evidence;
    } rows[] = {
        {"", 0, "not known"},
        {"\xE9\x01", 2, "fits none"},
        {"\xE9\x01\x02\x40", 4, "fits none"},
        {"\xE9\0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 36, "fits none"},
        {"\x1F\0", 2, "not known"},
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, "not known"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        firmware_clear(&firmware);
        firmware_add(&firmware, rows[i].data, rows[i].size);
        expect(INSPECT_UNKNOWN, INSPECT_CANNOT_TELL, INSPECT_DOUBTFUL, "file of an unknown format",
               "may not work: its format is unknown");
        expect_text(inspection.evidence, rows[i].evidence);
    }
}

static void test_no_damage_to_gzip_is_valid(void **state)
{
    /* no checksum covers the header, or the unused bits in the last byte of the data */
    enum { HEADER = 10, TRAILER = 8 };

    (void)state;
    firmware_make_rp2040(&firmware); /* without runs, as they could be packed in many ways */
    firmware_gzip(&firmware);
    expect_no_cut_is_valid();
    expect_no_flip_is_valid(0, 3);
    expect_no_flip_is_valid(HEADER, firmware.size - TRAILER - 1);
    expect_no_flip_is_valid(firmware.size - TRAILER, firmware.size);
}

static void test_no_damage_to_others_is_valid(void **state)
{
    enum { TWO_ENTRIES_AND_MD5 = 96 };

    (void)state;
    firmware_make_partition_table(&firmware, true);
    expect_no_flip_is_valid(0, 64);
    expect_no_flip_is_valid(80, TWO_ENTRIES_AND_MD5);
    firmware_make_hex(&firmware);
    firmware.size -= 2; /* the end of the last line has no meaning */
    expect_no_cut_is_valid();
}

static void test_crc32(void **state)
{
    (void)state;
    /* this is the check value of CRC-32/MPEG-2 */
    assert_int_equal(inspect_crc32(0xFFFFFFFF, (const unsigned char *)"123456789", 9), 0x0376E6E7);
}

static void test_inspection_names(void **state)
{
    (void)state;

    for (int i = 0; i < INSPECT_FORMAT_COUNT; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(inspect_format_name((enum inspect_format)i),
                                    inspect_format_name((enum inspect_format)k));
    for (int i = 0; i < INSPECT_INTEGRITY_COUNT; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(inspect_integrity_name((enum inspect_integrity)i),
                                    inspect_integrity_name((enum inspect_integrity)k));
    assert_string_equal(inspect_format_name(INSPECT_FORMAT_COUNT), "unknown");
    assert_string_equal(inspect_integrity_name(INSPECT_INTEGRITY_COUNT), "cannot-tell");
}

static unsigned char *read_whole(const char *path, size_t *size)
{
    enum { CAPACITY = 4 << 20 };
    unsigned char *data = malloc(CAPACITY);
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    assert_non_null(data);
    *size = fread(data, 1, CAPACITY, file);
    fclose(file);
    return data;
}

static const struct {
    const char *name;
    enum inspect_format format;
    enum inspect_integrity integrity;
    enum inspect_sending sending;
    const char *chip;
    const char *project;
    const char *idf;
    size_t segments;
} real_images[] = {
    {"esp8266.bin", INSPECT_ESP8266, INSPECT_VALID, INSPECT_SENDABLE, "esp8266", "", "", 4},
    {"esp32.bin", INSPECT_ESP32_APPLICATION, INSPECT_VALID, INSPECT_SENDABLE, "esp32", "", "v4.2.2",
     7},
    {"esp32s2.bin", INSPECT_ESP32_APPLICATION, INSPECT_VALID, INSPECT_SENDABLE, "esp32s2", "blink",
     "v5.0-beta1-427-g4532e6e0b2-dirt", 6},
    {"esp32-merged.bin", INSPECT_ESP32_FACTORY, INSPECT_CANNOT_TELL, INSPECT_IMPOSSIBLE, "esp32",
     "", "", 0},
};

static void test_inspect_real_images(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof real_images / sizeof *real_images; i++) {
        const char *path = vectors_image_path(real_images[i].name);
        unsigned char *data;
        size_t size;

        if (path == NULL) {
            printf("%s is not there\n", real_images[i].name);
            continue;
        }
        data = read_whole(path, &size);
        inspect_image(&inspection, data, size);
        assert_int_equal(inspection.format, real_images[i].format);
        assert_int_equal(inspection.integrity, real_images[i].integrity);
        assert_int_equal(inspection.sending, real_images[i].sending);
        assert_string_equal(inspection.chip_name, real_images[i].chip);
        assert_string_equal(inspection.application.project, real_images[i].project);
        assert_string_equal(inspection.application.idf, real_images[i].idf);
        assert_int_equal(inspection.segment_count, real_images[i].segments);
        inspect_bytes(data, size - 1000);
        assert_int_not_equal(inspection.integrity, INSPECT_VALID);
        data[size / 2] ^= 1;
        inspect_image(&inspection, data, size);
        assert_int_not_equal(inspection.integrity, INSPECT_VALID);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_gzip_of_each_format),
        cmocka_unit_test(test_gzip_of_littlefs),
        cmocka_unit_test(test_gzip_of_no_firmware),
        cmocka_unit_test(test_gzip_bomb),
        cmocka_unit_test(test_inspection_no_memory),
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_no_damage_to_gzip_is_valid),
        cmocka_unit_test(test_no_damage_to_others_is_valid),
        cmocka_unit_test(test_crc32),
        cmocka_unit_test(test_inspection_names),
        cmocka_unit_test(test_inspect_real_images),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
