/*
 * test-image_fit.c: the images that are rejected or doubted, by their format and by the board.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/image_fit.h"
#include "support/samples.h"

#include <stdio.h>
#include <string.h>

/* Returns the image that image_load() would make of the bytes, as far as it matters here. */
static struct image inspected(void)
{
    struct image image = {.path = "fw.bin", .size = firmware.size, .data = firmware.data};

    inspect_image(&image.inspection, firmware.data, firmware.size);
    return image;
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

static void make_esp32c3(void)
{
    firmware_make_esp32(&firmware, &(struct firmware_esp32){5, 0x3C000020, .has_descriptor = true});
}

static void make_esp32_of_unknown_chip(void)
{
    firmware_make_esp32(&firmware,
                        &(struct firmware_esp32){77, 0x3C000020, .has_descriptor = true});
}

/* Of a size for which an ESP8266 needs larger blocks. */
static void make_large_littlefs(void)
{
    firmware_make_littlefs(&firmware, 4096, 125);
}

static void make_gzipped_littlefs(void)
{
    make_littlefs();
    firmware_gzip(&firmware);
}

/* A vector table before bytes of no known format. */
static void make_samd(void)
{
    static const unsigned char table[] = {0x00, 0x80, 0x00, 0x20, 0xC1, 0x29, 0x00, 0x00,
                                          0xB9, 0x29, 0x00, 0x00, 0xB9, 0x29, 0x00, 0x00};

    make_unknown();
    memcpy(firmware.data, table, sizeof table);
}

static void make_avr(void)
{
    static const unsigned char jump[] = {0x0C, 0x94, 0x72, 0x00};

    make_unknown();
    for (size_t i = 0; i < 16; i++)
        memcpy(firmware.data + 4 * i, jump, sizeof jump);
}

/* An MCUboot image. */
static void make_update(void)
{
    static const unsigned char magic[] = {0x3D, 0xB8, 0xF3, 0x96};

    make_unknown();
    memcpy(firmware.data, magic, sizeof magic);
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
        enum image_fit fit;
        const char *phrase;
    } rows[] = {
        {make_esp8266, OTA_COMMAND_SKETCH, IMAGE_FIT_SUITS, ""},
        {make_esp8266_without_room, OTA_COMMAND_SKETCH, IMAGE_FIT_DOUBTFUL, "may not fit"},
        {make_esp8266, OTA_COMMAND_FILESYSTEM, IMAGE_FIT_REFUSED,
         "should not be sent as a filesystem image: it is an ESP8266 image, a program; leave -s "
         "out"},
        {make_esp32c3, OTA_COMMAND_SKETCH, IMAGE_FIT_SUITS, ""},
        {make_esp32c3, OTA_COMMAND_FILESYSTEM, IMAGE_FIT_REFUSED, "leave -s out"},
        {make_esp32_of_unknown_chip, OTA_COMMAND_SKETCH, IMAGE_FIT_REFUSED,
         "should not be sent: it is for an unknown ESP32 chip, number 77"},
        {make_truncated, OTA_COMMAND_SKETCH, IMAGE_FIT_REFUSED, "it is truncated"},
        {make_truncated, OTA_COMMAND_FILESYSTEM, IMAGE_FIT_REFUSED, "it is truncated"},
        {make_factory, OTA_COMMAND_SKETCH, IMAGE_FIT_REFUSED, "application in one"},
        {make_pico, OTA_COMMAND_SKETCH, IMAGE_FIT_SUITS, ""},
        {make_littlefs, OTA_COMMAND_FILESYSTEM, IMAGE_FIT_SUITS, ""},
        {make_littlefs, OTA_COMMAND_SKETCH, IMAGE_FIT_REFUSED,
         "should not be sent as a program: it is a LittleFS filesystem image; add -s"},
        {make_gzip, OTA_COMMAND_SKETCH, IMAGE_FIT_SUITS, ""},
        {make_gzip, OTA_COMMAND_FILESYSTEM, IMAGE_FIT_REFUSED, "leave -s out"},
        {make_unknown, OTA_COMMAND_SKETCH, IMAGE_FIT_DOUBTFUL, "its format is unknown"},
        {make_unknown, OTA_COMMAND_FILESYSTEM, IMAGE_FIT_DOUBTFUL, "its format is unknown"},
        {make_update, OTA_COMMAND_SKETCH, IMAGE_FIT_REFUSED,
         "can only be served (--serve): it is an MCUboot image, which boards fetch"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reason[IMAGE_FIT_REASON_MAX];

        rows[i].make();
        const struct image image = inspected();
        const enum image_fit fit = image_fit_image(reason, &image, rows[i].command, false);

        if (fit != rows[i].fit || !strstr(reason, rows[i].phrase) ||
            (fit == IMAGE_FIT_SUITS) != (*reason == '\0'))
            fail_msg("row %zu: %d, \"%s\"", i, fit, reason);
    }
}

/* Boards may fetch files of other systems, but not those whose own system is known. */
static void test_served(void **state)
{
    static const struct {
        const char *chips;
        enum image_fit fit;
    } rows[] = {{"", IMAGE_FIT_SUITS},
                {"ra4m1", IMAGE_FIT_SUITS},
                {"esp8266", IMAGE_FIT_REFUSED},
                {"esp32c3", IMAGE_FIT_REFUSED}};
    char reason[IMAGE_FIT_REASON_MAX];

    (void)state;
    make_update();
    const struct image image = inspected();
    assert_int_equal(image_fit_image(reason, &image, OTA_COMMAND_SKETCH, true), IMAGE_FIT_SUITS);
    assert_string_equal(reason, "");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kind kind = {.clue = "has the update page of Tasmota"};

        snprintf(kind.proven, sizeof kind.proven, "%s", rows[i].chips);
        assert_int_equal(image_fit_board(reason, &image, &kind, 0), rows[i].fit);
        assert_string_equal(reason, rows[i].fit == IMAGE_FIT_SUITS
                                        ? ""
                                        : "the image is an MCUboot image, and the board has the "
                                          "update page of Tasmota");
    }

    make_truncated();
    const struct image damaged = inspected();
    assert_int_equal(image_fit_image(reason, &damaged, OTA_COMMAND_SKETCH, true),
                     IMAGE_FIT_REFUSED);
}

/* Compares the image of make() with a board that announces this type. */
static enum image_fit compare_with_board(char reason[IMAGE_FIT_REASON_MAX], void (*make)(void),
                                         const char *type, uint16_t port)
{
    struct kind kind;

    make();
    const struct image image = inspected();
    kind_find(&kind, type, NULL, 0);
    return image_fit_board(reason, &image, &kind, port);
}

static const struct {
    void (*make)(void);
    const char *type;
    enum image_fit fit;
} board_rows[] = {
    {make_esp32, "", IMAGE_FIT_SUITS},
    {make_esp32, "esp32", IMAGE_FIT_SUITS},
    {make_esp32, "ESP32_DEV", IMAGE_FIT_SUITS},
    {make_esp32, "esp32dev", IMAGE_FIT_SUITS},
    {make_esp32, "esp32_bee_s3", IMAGE_FIT_SUITS}, /* the chip has an unusual place in the name */
    {make_esp32, "m5stack_core2", IMAGE_FIT_SUITS},
    {make_esp32, "nodemcu-32s", IMAGE_FIT_SUITS},
    {make_esp32, "um_tinypico", IMAGE_FIT_SUITS}, /* it has an ESP32 */
    {make_esp32, "mkrwifi1010", IMAGE_FIT_REFUSED},
    {make_unknown, "mkrwifi1010", IMAGE_FIT_REFUSED},
    {make_samd, "mkrwifi1010", IMAGE_FIT_SUITS},
    {make_samd, "rpipicow", IMAGE_FIT_REFUSED},
    {make_samd, "nodemcuv2", IMAGE_FIT_REFUSED},
    {make_samd, "esp32s3", IMAGE_FIT_REFUSED},
    {make_samd, "my_esp8266", IMAGE_FIT_DOUBTFUL},
    {make_samd, "uno2018", IMAGE_FIT_REFUSED},
    {make_samd, "STM32F407", IMAGE_FIT_SUITS},
    {make_samd, "NUCLEO_F767ZI", IMAGE_FIT_SUITS},
    {make_samd, "unor4wifi", IMAGE_FIT_SUITS},
    {make_samd, "nrf52840", IMAGE_FIT_SUITS},
    {make_unknown, "STM32F407", IMAGE_FIT_REFUSED},
    {make_unknown, "UNO_R4", IMAGE_FIT_REFUSED},
    {make_unknown, "nrf52840", IMAGE_FIT_REFUSED},
    {make_esp8266, "STM32F407", IMAGE_FIT_REFUSED},
    {make_esp32, "unor4wifi", IMAGE_FIT_REFUSED},
    {make_pico, "nrf52840", IMAGE_FIT_REFUSED},
    {make_avr, "uno2018", IMAGE_FIT_SUITS},
    {make_avr, "mkrwifi1010", IMAGE_FIT_REFUSED},
    {make_esp32, "uno2018", IMAGE_FIT_REFUSED},
    {make_esp32, "esp32s3", IMAGE_FIT_REFUSED},
    {make_esp32, "ESP32S3_DEV", IMAGE_FIT_REFUSED},
    {make_esp32, "esp32-c3-devkitm-1", IMAGE_FIT_REFUSED},
    {make_esp32, "esp32c61", IMAGE_FIT_REFUSED},
    {make_esp32, "esp32s3box", IMAGE_FIT_REFUSED},
    {make_esp32, "adafruit_feather_esp32s2", IMAGE_FIT_REFUSED},
    {make_esp32, "ESP8266_NODEMCU", IMAGE_FIT_REFUSED},
    {make_esp32, "my_esp8266", IMAGE_FIT_DOUBTFUL},
    {make_esp32, "rpipicow", IMAGE_FIT_REFUSED},
    {make_esp32c3, "esp32c3", IMAGE_FIT_SUITS},
    {make_esp32c3, "ESP32C3_DEV", IMAGE_FIT_SUITS},
    {make_esp32c3, "esp32", IMAGE_FIT_REFUSED},
    {make_esp32c3, "esp32dev", IMAGE_FIT_REFUSED},
    {make_esp32c3, "esp32-evb", IMAGE_FIT_REFUSED},
    {make_esp32c3, "esp32-to-come", IMAGE_FIT_SUITS}, /* may have any ESP32 chip */
    {make_esp32c3, "esp32c6", IMAGE_FIT_REFUSED},
    {make_esp32c3, "esp32c3m1", IMAGE_FIT_SUITS},
    {make_esp32_of_unknown_chip, "esp32", IMAGE_FIT_SUITS},
    {make_esp32, "nodemcuv2", IMAGE_FIT_REFUSED},
    {make_esp32, "generic", IMAGE_FIT_REFUSED}, /* an ESP8266 or a Pico */
    {make_esp8266, "generic", IMAGE_FIT_SUITS},
    {make_pico, "generic", IMAGE_FIT_SUITS},
    {make_esp8266, "lolin32", IMAGE_FIT_REFUSED},
    {make_pico, "d1_mini", IMAGE_FIT_REFUSED},
    {make_pico, "pimoroni_explorer", IMAGE_FIT_SUITS},
    {make_esp8266, "ESP8266_WEMOS_D1MINI", IMAGE_FIT_SUITS},
    {make_esp8266, "esp32", IMAGE_FIT_REFUSED},
    {make_esp8266, "esp32s3box", IMAGE_FIT_REFUSED}, /* no ESP32 fits */
    {make_esp8266, "lolin_esp32s3", IMAGE_FIT_DOUBTFUL},
    {make_esp8266, "RASPBERRY_PI_PICO_W", IMAGE_FIT_REFUSED},
    {make_gzip, "esp8266", IMAGE_FIT_SUITS},
    {make_gzip, "esp32", IMAGE_FIT_REFUSED},
    {make_gzipped_littlefs, "ESP8266_GENERIC", IMAGE_FIT_SUITS},
    {make_gzipped_littlefs, "esp32s3", IMAGE_FIT_REFUSED},
    {make_gzipped_littlefs, "esp32-evb", IMAGE_FIT_REFUSED},
    {make_gzipped_littlefs, "lolin_esp32s3", IMAGE_FIT_REFUSED}, /* it would be overwritten */
    {make_pico, "RASPBERRY_PI_PICO_W", IMAGE_FIT_SUITS},
    {make_pico, "rpipicow", IMAGE_FIT_SUITS},
    {make_pico, "RASPBERRY_PI_PICO_2W", IMAGE_FIT_REFUSED},
    {make_pico, "waveshare_rp2350", IMAGE_FIT_DOUBTFUL},
    {make_pico, "ESP8266_GENERIC", IMAGE_FIT_REFUSED},
    {make_littlefs, "esp32", IMAGE_FIT_SUITS},
    {make_gzipped_littlefs, "d1_mini", IMAGE_FIT_SUITS},
    {make_gzipped_littlefs, "lolin32", IMAGE_FIT_REFUSED},
    {make_gzipped_littlefs, "rpipicow", IMAGE_FIT_REFUSED},
    {make_gzipped_littlefs, "lolin_esp32s3_pro", IMAGE_FIT_REFUSED},
    {make_unknown, "esp32", IMAGE_FIT_SUITS},
};

static void test_board(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof board_rows / sizeof *board_rows; i++) {
        char reason[IMAGE_FIT_REASON_MAX];
        const enum image_fit fit =
            compare_with_board(reason, board_rows[i].make, board_rows[i].type, 0);

        if (fit != board_rows[i].fit)
            fail_msg("row %zu, %s: %d, \"%s\"", i, board_rows[i].type, fit, reason);
        if (fit == IMAGE_FIT_SUITS)
            assert_string_equal(reason, "");
        else
            assert_non_null(strstr(reason, board_rows[i].type));
    }
}

static const struct {
    void (*make)(void);
    uint16_t port;
    const char *type;
    enum image_fit fit;
    const char *phrase;
} port_rows[] = {
    {make_esp32, 0, "", IMAGE_FIT_SUITS, ""},
    {make_esp32, 3232, "", IMAGE_FIT_SUITS, ""},
    {make_esp32, 4000, "", IMAGE_FIT_SUITS, ""},
    {make_esp32, 8266, "", IMAGE_FIT_DOUBTFUL,
     "the image is for the chip esp32, but port 8266 is the default port of ESP8266 boards: an "
     "ESP8266 accepts such an image but cannot start it, and then needs a cable"},
    {make_esp32, 2040, "", IMAGE_FIT_DOUBTFUL,
     "Pico W and CH32H4 boards: a Pico W does not check images"},
    {make_esp32, 8266, "lolin32", IMAGE_FIT_SUITS, ""},
    {make_esp32, 8266, "lolin_esp32", IMAGE_FIT_SUITS, ""},
    {make_esp8266, 3232, "", IMAGE_FIT_DOUBTFUL, "ESP32 boards: an ESP32 rejects such an image"},
    {make_esp8266, 8266, "generic", IMAGE_FIT_SUITS, ""},
    {make_esp8266, 2040, "generic", IMAGE_FIT_DOUBTFUL, "port 2040"},
    {make_esp8266, 3232, "generic", IMAGE_FIT_SUITS, ""},
    {make_pico, 8266, "", IMAGE_FIT_DOUBTFUL, "an ESP8266 rejects such an image"},
    {make_pico, 2040, "", IMAGE_FIT_SUITS, ""},
    {make_littlefs, 8266, "", IMAGE_FIT_SUITS, ""},
    {make_gzipped_littlefs, 8266, "", IMAGE_FIT_SUITS, ""},
    {make_gzipped_littlefs, 3232, "", IMAGE_FIT_REFUSED,
     "the compressed filesystem image is for ESP8266 boards, but port 3232 is the default port of "
     "ESP32 boards: the board would store it compressed, and then have no filesystem"},
    {make_gzipped_littlefs, 2040, "", IMAGE_FIT_REFUSED,
     "port 2040 is the default port of Pico W and CH32H4 boards: the board would store it"},
    {make_large_littlefs, 8266, "", IMAGE_FIT_DOUBTFUL, "accept it, but could not mount it"},
    {make_large_littlefs, 8266, "lolin32", IMAGE_FIT_SUITS, ""},
    {make_unknown, 3232, "", IMAGE_FIT_SUITS, ""},
    {make_unknown, 0, "", IMAGE_FIT_SUITS, ""},
    {make_unknown, 2040, "", IMAGE_FIT_REFUSED,
     "the format of the image is not known, and the port is the default of Pico W and CH32H4 "
     "boards: a Pico W does not check images"},
    {make_gzipped_unknown, 2040, "", IMAGE_FIT_REFUSED, "a Pico W does not check images"},
    {make_unknown, 4000, "rpipicow", IMAGE_FIT_REFUSED,
     "the board announces itself as \"rpipicow\": a Pico W does not check images"},
    {make_unknown, 2040, "esp32", IMAGE_FIT_SUITS, ""},
    {make_unknown, 2040, "generic", IMAGE_FIT_REFUSED,
     "the port is the default of Pico W boards: "},
    {make_unknown, 8266, "generic", IMAGE_FIT_SUITS, ""},
};

/* A port alone proves nothing, and is ignored if the kind of the board is known. */
static void test_fit_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof port_rows / sizeof *port_rows; i++) {
        char reason[IMAGE_FIT_REASON_MAX];
        const enum image_fit fit =
            compare_with_board(reason, port_rows[i].make, port_rows[i].type, port_rows[i].port);

        if (fit != port_rows[i].fit || !strstr(reason, port_rows[i].phrase) ||
            (fit == IMAGE_FIT_SUITS) != (*reason == '\0'))
            fail_msg("row %zu: %d, \"%s\"", i, fit, reason);
    }
}

/* A board with this name is no Pico W, although it has the same default port. */
static void test_ch32h4(void **state)
{
    const char *name = "ch32h4-a1b2c3";
    char reason[IMAGE_FIT_REASON_MAX];
    struct kind kind;

    (void)state;
    make_unknown();
    struct image image = inspected();
    kind_find(&kind, "", &name, 1);
    assert_int_equal(image_fit_board(reason, &image, &kind, 2040), IMAGE_FIT_SUITS);

    struct image compressed = image;

    compressed.plain = &image;
    assert_int_equal(image_fit_board(reason, &compressed, &kind, 2040), IMAGE_FIT_REFUSED);
    assert_non_null(strstr(reason, "no such board unpacks images"));
}

/* What -s calls a filesystem image is judged as one, whatever its format. */
static void test_unknown_filesystem(void **state)
{
    static const struct {
        void (*make)(void);
        uint16_t port;
        enum image_fit fit;
        const char *phrase;
    } rows[] = {
        {make_unknown, 2040, IMAGE_FIT_SUITS, ""},
        {make_unknown, 3232, IMAGE_FIT_SUITS, ""},
        {make_gzipped_unknown, 8266, IMAGE_FIT_SUITS, ""},
        {make_gzipped_unknown, 0, IMAGE_FIT_SUITS, ""},
        {make_gzipped_unknown, 2040, IMAGE_FIT_REFUSED, "would store it compressed"},
        {make_gzipped_unknown, 3232, IMAGE_FIT_REFUSED, "would store it compressed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static const struct kind any = {.proven = ""};
        char reason[IMAGE_FIT_REASON_MAX];

        rows[i].make();
        struct image image = inspected();
        image.command = OTA_COMMAND_FILESYSTEM;
        const enum image_fit fit = image_fit_board(reason, &image, &any, rows[i].port);
        if (fit != rows[i].fit || !strstr(reason, rows[i].phrase))
            fail_msg("row %zu: %d, \"%s\"", i, fit, reason);

        assert_int_equal(image_fit_image(reason, &image, image.command, false), IMAGE_FIT_DOUBTFUL);
        assert_int_equal(strstr(reason, "ATOMIC_FS_UPDATE") != NULL,
                         rows[i].make == make_gzipped_unknown);
    }
}

/* The image with a signature for an ESP32 goes to an ESP32. */
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
        assert_ptr_equal(image_fit_variant(&image, &kind, rows[i].port), variants[rows[i].variant]);
        assert_ptr_equal(image_fit_variant(&only, &kind, rows[i].port), &only);
    }
}

static void test_fit_words(void **state)
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
         "the compressed filesystem image is for ESP8266 boards, but the board announces itself as "
         "\"rpipicow\" (rp2040): the board would store it compressed, and then have no filesystem"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reason[IMAGE_FIT_REASON_MAX];

        compare_with_board(reason, rows[i].make, rows[i].type, 0);
        assert_string_equal(reason, rows[i].reason);
    }
}

static void test_challenge(void **state)
{
    static const struct {
        void (*make)(void);
        enum image_fit fit;
    } rows[] = {
        {make_esp32, IMAGE_FIT_SUITS},
        {make_esp32_of_unknown_chip, IMAGE_FIT_SUITS},
        {make_esp8266, IMAGE_FIT_REFUSED},
        {make_gzip, IMAGE_FIT_REFUSED},
        {make_pico, IMAGE_FIT_REFUSED},
        {make_littlefs, IMAGE_FIT_SUITS},
        {make_gzipped_littlefs, IMAGE_FIT_REFUSED},
        {make_gzipped_unknown, IMAGE_FIT_REFUSED}, /* an ESP32 does not unpack */
        {make_unknown, IMAGE_FIT_SUITS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reason[IMAGE_FIT_REASON_MAX];

        rows[i].make();
        const struct image image = inspected();
        if (image_fit_sha256_challenge(reason, &image) != rows[i].fit)
            fail_msg("row %zu: \"%s\"", i, reason);
        assert_int_equal(*reason != '\0', rows[i].fit == IMAGE_FIT_REFUSED);
    }

    /* an image of unknown format that -z has compressed */
    char reason[IMAGE_FIT_REASON_MAX];
    struct image plain = {.size = 0};

    make_unknown();
    struct image packed = inspected();
    packed.plain = &plain;
    assert_int_equal(image_fit_sha256_challenge(reason, &packed), IMAGE_FIT_REFUSED);
    assert_string_equal(reason, "the image is compressed, but the board asks for its password with "
                                "SHA-256, as only an ESP32 does, and no ESP32 unpacks images");
}

/* fits[0]: a board with JAndrassy's sketch server that takes filesystem images; fits[1]: not. */
static void test_sketch_server(void **state)
{
    static const struct {
        void (*make)(void);
        enum image_fit fits[2];
    } rows[] = {
        {make_esp8266, {IMAGE_FIT_SUITS, IMAGE_FIT_REFUSED}},
        {make_esp32c3, {IMAGE_FIT_SUITS, IMAGE_FIT_REFUSED}},
        {make_samd, {IMAGE_FIT_REFUSED, IMAGE_FIT_SUITS}},
        {make_avr, {IMAGE_FIT_SUITS, IMAGE_FIT_SUITS}}, /* of no known format */
        {make_unknown, {IMAGE_FIT_SUITS, IMAGE_FIT_REFUSED}},
        {make_pico, {IMAGE_FIT_REFUSED, IMAGE_FIT_SUITS}},
    };
    char reason[IMAGE_FIT_REASON_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t other = 0; other < 2; other++) {
            rows[i].make();
            const struct image image = inspected();

            if (image_fit_sketch_server(reason, &image, other == 0) != rows[i].fits[other])
                fail_msg("row %zu, %zu: %s", i, other, reason);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_served),
        cmocka_unit_test(test_sketch_server),
        cmocka_unit_test(test_board),
        cmocka_unit_test(test_fit_port),
        cmocka_unit_test(test_ch32h4),
        cmocka_unit_test(test_unknown_filesystem),
        cmocka_unit_test(test_variant),
        cmocka_unit_test(test_fit_words),
        cmocka_unit_test(test_challenge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
