/*
 * test-screen.c: which images are refused or doubted, for what they are and for what board.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware.h"
#include "screen.h"

#include <stdio.h>
#include <string.h>

static struct firmware firmware;

/* What image_load() makes of the bytes, as far as it matters here. */
static struct image inspected(void)
{
    struct image image = {.path = "fw.bin", .size = firmware.size, .data = firmware.data};
    inspect_image(&image.inspection, firmware.data, firmware.size);
    return image;
}

static void make_esp8266(void)
{
    firmware_make_esp8266(&firmware,
                          &(struct firmware_esp8266){.flash = 4, .has_eboot = true, .size = 5000});
}

static void make_esp8266_without_room(void)
{
    firmware_make_esp8266(
        &firmware, &(struct firmware_esp8266){.flash = 1, .has_eboot = true, .size = 125000});
}

static void make_truncated(void)
{
    make_esp8266();
    firmware.size -= 100;
}

static void make_esp32(void)
{
    firmware_make_esp32(&firmware, &(struct firmware_esp32){0, 0x3F400020, .has_descriptor = true});
}

static void make_esp32c3(void)
{
    firmware_make_esp32(&firmware, &(struct firmware_esp32){5, 0x3C000020, .has_descriptor = true});
}

static void make_esp32_of_unknown_chip(void)
{
    firmware_make_esp32(&firmware,
                        &(struct firmware_esp32){77, 0x3C000020, .has_descriptor = true});
}

static void make_factory(void)
{
    firmware_make_factory(&firmware, 0, 0, true);
}

static void make_pico(void)
{
    firmware_make_rp2040(&firmware);
}

static void make_littlefs(void)
{
    firmware_make_littlefs(&firmware, 4096, 8);
}

static void make_gzip(void)
{
    make_esp8266();
    firmware_gzip(&firmware);
}

static void make_gzipped_littlefs(void)
{
    make_littlefs();
    firmware_gzip(&firmware);
}

static void make_unknown(void)
{
    firmware_clear(&firmware);
    firmware_add(&firmware, "\0\1", 2);
    firmware_fill(&firmware, 'x', 100);
}

static void make_gzipped_unknown(void)
{
    make_unknown();
    firmware_gzip(&firmware);
}

static void test_image(void **state)
{
    static const struct {
        void (*make)(void);
        enum ota_command command;
        enum screening screening;
        const char *phrase;
    } rows[] = {
        {make_esp8266, OTA_COMMAND_SKETCH, SCREEN_SUITS, ""},
        {make_esp8266_without_room, OTA_COMMAND_SKETCH, SCREEN_DOUBTFUL, "may not fit"},
        {make_esp8266, OTA_COMMAND_FILESYSTEM, SCREEN_REFUSED, "is an ESP8266 image, a program"},
        {make_esp32c3, OTA_COMMAND_SKETCH, SCREEN_SUITS, ""},
        {make_esp32c3, OTA_COMMAND_FILESYSTEM, SCREEN_REFUSED, "leave -s out"},
        {make_truncated, OTA_COMMAND_SKETCH, SCREEN_REFUSED, "it is truncated"},
        {make_truncated, OTA_COMMAND_FILESYSTEM, SCREEN_REFUSED, "it is truncated"},
        {make_factory, OTA_COMMAND_SKETCH, SCREEN_REFUSED, "application in one"},
        {make_pico, OTA_COMMAND_SKETCH, SCREEN_SUITS, ""},
        {make_littlefs, OTA_COMMAND_FILESYSTEM, SCREEN_SUITS, ""},
        {make_littlefs, OTA_COMMAND_SKETCH, SCREEN_REFUSED,
         "is a LittleFS filesystem image, not a program: add -s"},
        {make_gzip, OTA_COMMAND_SKETCH, SCREEN_SUITS, ""},
        {make_gzip, OTA_COMMAND_FILESYSTEM, SCREEN_REFUSED, "leave -s out"},
        {make_unknown, OTA_COMMAND_SKETCH, SCREEN_DOUBTFUL, "its format is unknown"},
        {make_unknown, OTA_COMMAND_FILESYSTEM, SCREEN_DOUBTFUL, "its format is unknown"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reason[SCREEN_REASON_MAX];
        rows[i].make();
        const struct image image = inspected();
        const enum screening screening = screen_image(reason, &image, rows[i].command);
        if (screening != rows[i].screening || !strstr(reason, rows[i].phrase) ||
            (screening == SCREEN_SUITS) != (*reason == '\0'))
            fail_msg("row %zu: %d, \"%s\"", i, screening, reason);
    }
}

/* Screens the image that make() has made, for a board that announces this type. */
static enum screening screen_made(char reason[SCREEN_REASON_MAX], void (*make)(void),
                                  const char *type, uint16_t port)
{
    struct kind kind;

    make();
    const struct image image = inspected();
    kind_find(&kind, type, NULL, 0);
    return screen_board(reason, &image, &kind, port);
}

static void test_board(void **state)
{
    static const struct {
        void (*make)(void);
        const char *type;
        enum screening screening;
    } rows[] = {
        {make_esp32, "", SCREEN_SUITS},
        {make_esp32, "esp32", SCREEN_SUITS},
        {make_esp32, "ESP32_DEV", SCREEN_SUITS},
        {make_esp32, "esp32dev", SCREEN_SUITS},
        {make_esp32, "esp32_bee_s3", SCREEN_SUITS}, /* the chip is not at its usual place */
        {make_esp32, "m5stack_core2", SCREEN_SUITS},
        {make_esp32, "nodemcu-32s", SCREEN_SUITS},
        {make_esp32, "um_tinypico", SCREEN_SUITS}, /* an ESP32 */
        {make_esp32, "esp32s3", SCREEN_REFUSED},
        {make_esp32, "ESP32S3_DEV", SCREEN_REFUSED},
        {make_esp32, "esp32-c3-devkitm-1", SCREEN_REFUSED},
        {make_esp32, "esp32c61", SCREEN_REFUSED},
        {make_esp32, "esp32s3box", SCREEN_REFUSED},
        {make_esp32, "adafruit_feather_esp32s2", SCREEN_REFUSED},
        {make_esp32, "ESP8266_NODEMCU", SCREEN_REFUSED},
        {make_esp32, "my_esp8266", SCREEN_DOUBTFUL},
        {make_esp32, "rpipicow", SCREEN_REFUSED},
        {make_esp32c3, "esp32c3", SCREEN_SUITS},
        {make_esp32c3, "ESP32C3_DEV", SCREEN_SUITS},
        {make_esp32c3, "esp32", SCREEN_REFUSED},
        {make_esp32c3, "esp32dev", SCREEN_REFUSED},
        {make_esp32c3, "esp32-evb", SCREEN_REFUSED},
        {make_esp32c3, "esp32-to-come", SCREEN_SUITS}, /* may be any of them */
        {make_esp32c3, "esp32c6", SCREEN_REFUSED},
        {make_esp32c3, "esp32c3m1", SCREEN_SUITS},
        {make_esp32_of_unknown_chip, "esp32", SCREEN_SUITS},
        {make_esp32_of_unknown_chip, "nodemcuv2", SCREEN_REFUSED},
        {make_esp32, "nodemcuv2", SCREEN_REFUSED},
        {make_esp32, "generic", SCREEN_REFUSED}, /* ESP8266 or Pico */
        {make_esp8266, "generic", SCREEN_SUITS},
        {make_pico, "generic", SCREEN_SUITS},
        {make_esp8266, "lolin32", SCREEN_REFUSED},
        {make_pico, "d1_mini", SCREEN_REFUSED},
        {make_pico, "pimoroni_explorer", SCREEN_SUITS},
        {make_esp8266, "ESP8266_WEMOS_D1MINI", SCREEN_SUITS},
        {make_esp8266, "esp32", SCREEN_REFUSED},
        {make_esp8266, "esp32s3box", SCREEN_REFUSED}, /* whichever ESP32 it is */
        {make_esp8266, "lolin_esp32s3", SCREEN_DOUBTFUL},
        {make_esp8266, "RASPBERRY_PI_PICO_W", SCREEN_REFUSED},
        {make_gzip, "esp8266", SCREEN_SUITS},
        {make_gzip, "esp32", SCREEN_REFUSED},
        {make_gzipped_littlefs, "ESP8266_GENERIC", SCREEN_SUITS},
        {make_gzipped_littlefs, "esp32s3", SCREEN_REFUSED},
        {make_gzipped_littlefs, "esp32-evb", SCREEN_REFUSED},
        {make_gzipped_littlefs, "lolin_esp32s3", SCREEN_DOUBTFUL},
        {make_pico, "RASPBERRY_PI_PICO_W", SCREEN_SUITS},
        {make_pico, "rpipicow", SCREEN_SUITS},
        {make_pico, "RASPBERRY_PI_PICO_2W", SCREEN_REFUSED},
        {make_pico, "waveshare_rp2350", SCREEN_DOUBTFUL},
        {make_pico, "ESP8266_GENERIC", SCREEN_REFUSED},
        {make_littlefs, "esp32", SCREEN_SUITS},
        {make_gzipped_littlefs, "d1_mini", SCREEN_SUITS},
        {make_gzipped_littlefs, "lolin32", SCREEN_REFUSED},
        {make_gzipped_littlefs, "rpipicow", SCREEN_REFUSED},
        {make_gzipped_littlefs, "lolin_esp32s3_pro", SCREEN_DOUBTFUL},
        {make_unknown, "esp32", SCREEN_SUITS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reason[SCREEN_REASON_MAX];
        const enum screening screening = screen_made(reason, rows[i].make, rows[i].type, 0);
        if (screening != rows[i].screening)
            fail_msg("row %zu, %s: %d, \"%s\"", i, rows[i].type, screening, reason);
        if (screening == SCREEN_SUITS)
            assert_string_equal(reason, "");
        else
            assert_non_null(strstr(reason, rows[i].type));
    }
}

/* A port alone proves nothing, and says nothing where the kind of the board is known. */
static void test_port(void **state)
{
    static const struct {
        void (*make)(void);
        uint16_t port;
        const char *type;
        enum screening screening;
        const char *phrase;
    } rows[] = {
        {make_esp32, 0, "", SCREEN_SUITS, ""},
        {make_esp32, 3232, "", SCREEN_SUITS, ""},
        {make_esp32, 4000, "", SCREEN_SUITS, ""},
        {make_esp32, 8266, "", SCREEN_DOUBTFUL,
         "the image is for the chip esp32, but port 8266 is the default port of ESP8266 boards: an "
         "ESP8266 accepts such an image but cannot start it, and then needs a cable"},
        {make_esp32, 2040, "", SCREEN_DOUBTFUL, "Pico W boards: a Pico W does not check images"},
        {make_esp32, 8266, "lolin32", SCREEN_SUITS, ""},
        {make_esp32, 8266, "lolin_esp32", SCREEN_SUITS, ""},
        {make_esp8266, 3232, "", SCREEN_DOUBTFUL, "ESP32 boards: an ESP32 rejects such an image"},
        {make_esp8266, 8266, "generic", SCREEN_SUITS, ""},
        {make_esp8266, 2040, "generic", SCREEN_DOUBTFUL, "port 2040"},
        {make_esp8266, 3232, "generic", SCREEN_SUITS, ""},
        {make_pico, 8266, "", SCREEN_DOUBTFUL, "an ESP8266 rejects such an image"},
        {make_pico, 2040, "", SCREEN_SUITS, ""},
        {make_littlefs, 8266, "", SCREEN_SUITS, ""},
        {make_gzipped_littlefs, 8266, "", SCREEN_SUITS, ""},
        {make_gzipped_littlefs, 3232, "", SCREEN_DOUBTFUL,
         "the filesystem image is for ESP8266 boards, but port 3232 is the default port of ESP32 "
         "boards: the board would accept it, but could not mount it"},
        {make_unknown, 3232, "", SCREEN_SUITS, ""},
        {make_unknown, 0, "", SCREEN_SUITS, ""},
        {make_unknown, 2040, "", SCREEN_REFUSED,
         "the format of the image is not known, and the board listens on the default port of Pico "
         "W "
         "boards: a Pico W does not check images"},
        {make_gzipped_unknown, 2040, "", SCREEN_REFUSED, "a Pico W does not check images"},
        {make_unknown, 4000, "rpipicow", SCREEN_REFUSED,
         "the board announces itself as \"rpipicow\": a Pico W does not check images"},
        {make_unknown, 2040, "esp32", SCREEN_SUITS, ""},
        {make_unknown, 2040, "generic", SCREEN_REFUSED,
         "listens on the default port of Pico W boards"},
        {make_unknown, 8266, "generic", SCREEN_SUITS, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reason[SCREEN_REASON_MAX];
        const enum screening screening =
            screen_made(reason, rows[i].make, rows[i].type, rows[i].port);
        if (screening != rows[i].screening || !strstr(reason, rows[i].phrase) ||
            (screening == SCREEN_SUITS) != (*reason == '\0'))
            fail_msg("row %zu: %d, \"%s\"", i, screening, reason);
    }
}

/* What was signed for an ESP32 goes to an ESP32. */
static void test_variant(void **state)
{
    static const struct {
        const char *type;
        uint16_t port;
        enum variant { FOR_OTHERS, FOR_ESP32, NOT_KNOWN } variant;
    } rows[] = {
        {"", 3232, FOR_ESP32},          {"", 8266, FOR_OTHERS},        {"", 2040, FOR_OTHERS},
        {"", 4000, NOT_KNOWN},          {"lolin32", 4000, FOR_ESP32},  {"lolin32", 8266, FOR_ESP32},
        {"rpipicow", 4000, FOR_OTHERS}, {"generic", 3232, FOR_OTHERS},
    };
    struct image for_esp32 = {.path = NULL}, image = {.for_esp32 = &for_esp32};
    const struct image *variants[] = {&image, &for_esp32, NULL};
    const struct image only = {.path = NULL};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kind kind;
        kind_find(&kind, rows[i].type, NULL, 0);
        assert_ptr_equal(screen_variant(&image, &kind, rows[i].port), variants[rows[i].variant]);
        assert_ptr_equal(screen_variant(&only, &kind, rows[i].port), &only);
    }
}

static void test_words(void **state)
{
    static const struct {
        void (*make)(void);
        const char *type;
        const char *reason;
    } rows[] = {
        {make_esp32, "nodemcuv2",
         "the image is for the chip esp32, but the board announces itself as \"nodemcuv2\" "
         "(esp8266): an ESP8266 accepts such an image but cannot start it, and then needs a cable"},
        {make_esp32, "generic",
         "the image is for the chip esp32, but the board announces itself as \"generic\" (esp8266 "
         "or rp2040): an ESP8266 accepts such an image but cannot start it, and then needs a "
         "cable"},
        {make_esp8266, "esp32-to-come",
         "the image is for the chip esp8266, but the board announces itself as \"esp32-to-come\": "
         "an ESP32 rejects such an image, but only in the middle or at the end of the "
         "upload"},
        {make_gzipped_littlefs, "rpipicow",
         "the filesystem image is for ESP8266 boards, but the board announces itself as "
         "\"rpipicow\" (rp2040): the board would accept it, but could not mount it"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reason[SCREEN_REASON_MAX];
        screen_made(reason, rows[i].make, rows[i].type, 0);
        assert_string_equal(reason, rows[i].reason);
    }
}

static void test_challenge(void **state)
{
    static const struct {
        void (*make)(void);
        enum screening screening;
    } rows[] = {
        {make_esp32, SCREEN_SUITS},
        {make_esp32_of_unknown_chip, SCREEN_SUITS},
        {make_esp8266, SCREEN_REFUSED},
        {make_gzip, SCREEN_REFUSED},
        {make_pico, SCREEN_REFUSED},
        {make_littlefs, SCREEN_SUITS},
        {make_gzipped_littlefs, SCREEN_REFUSED},
        {make_gzipped_unknown, SCREEN_REFUSED}, /* no ESP32 unpacks */
        {make_unknown, SCREEN_SUITS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reason[SCREEN_REASON_MAX];
        rows[i].make();
        const struct image image = inspected();
        if (screen_sha256_challenge(reason, &image) != rows[i].screening)
            fail_msg("row %zu: \"%s\"", i, reason);
        assert_int_equal(*reason != '\0', rows[i].screening == SCREEN_REFUSED);
    }
    /* What -z has compressed, of whatever format. */
    char reason[SCREEN_REASON_MAX];
    struct image plain = {.size = 0};
    make_unknown();
    struct image packed = inspected();
    packed.plain = &plain;
    assert_int_equal(screen_sha256_challenge(reason, &packed), SCREEN_REFUSED);
    assert_string_equal(reason, "the image is compressed, but the board asks for its password with "
                                "SHA-256, as only an ESP32 does, and no ESP32 unpacks images");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image), cmocka_unit_test(test_board),
        cmocka_unit_test(test_port),  cmocka_unit_test(test_variant),
        cmocka_unit_test(test_words), cmocka_unit_test(test_challenge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
