/*
 * test-kind.c: the chips that a board can have, by its announcement and its name.
 */
#include "image/kind.h"
#include "image/kind_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_kind_overlap(void **state)
{
    static const struct {
        const char *one, *other;
        bool overlaps;
    } rows[] = {
        {"", "", true},
        {"", "esp32", true},
        {"esp32", "esp32", true},
        {"esp32", "esp32s3", false},
        {"esp32c6", "esp32c61", false},
        {"esp32*", "esp32", true},
        {"esp32*", "esp32c61", true},
        {"esp32*", "esp3", false},
        {"esp32*", "esp8266", false},
        {"esp32*", "esp*", true},
        {"rp*", "rp2040", true},
        {"esp8266,rp2040", "rp*", true},
        {"esp8266,rp2040", "esp32*", false},
        {"esp8266,rp2040", "esp32s3,rp2040", true},
        {"esp8266,esp32*,rp*", "ch32h4", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (kind_overlap(rows[i].one, rows[i].other) != rows[i].overlaps ||
            kind_overlap(rows[i].other, rows[i].one) != rows[i].overlaps)
            fail_msg("\"%s\" and \"%s\"", rows[i].one, rows[i].other);
}

/* The binary search needs sorted names in lower case. */
static void test_kind_table(void **state)
{
    (void)state;
    assert_true(kind_row_count >= 640);
    for (size_t i = 0; i < kind_row_count; i++) {
        const char *name = kind_rows[i].name;

        assert_true(*name && strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL);
        assert_true(i == 0 || strcmp(kind_rows[i - 1].name, name) < 0);
    }
}

/* Every row is found, in lower and in upper case. */
static void test_search(void **state)
{
    (void)state;
    for (size_t i = 0; i < kind_row_count; i++) {
        const struct kind_row *row = &kind_rows[i];
        char upper[64] = "";
        struct kind kind, shouted;

        assert_true(strlen(row->name) < sizeof upper);
        for (size_t at = 0; row->name[at]; at++)
            upper[at] = (char)toupper((unsigned char)row->name[at]);
        kind_find(&kind, row->name, NULL, 0);
        kind_find(&shouted, upper, NULL, 0);
        assert_string_equal(kind.proven, shouted.proven);
        assert_true(*kind.proven && kind_overlap(kind.proven, row->chips));
        if (!strchr(row->chips, ','))
            assert_string_equal(kind.proven, row->chips);
    }
}

static const struct {
    const char *type, *proven, *likely;
} type_rows[] = {
    {"", "", ""},
    {"unheard-of", "", ""},
    /* announced by today's cores */
    {"nodemcuv2", "esp8266", "esp8266"},
    {"d1_mini", "esp8266", "esp8266"},
    {"esp01_1m", "esp8266", "esp8266"},
    {"huzzah", "esp8266", "esp8266"},
    {"lolin32", "esp32", "esp32"},
    {"m5stack_cardputer", "esp32s3", "esp32s3"},
    {"heltec_wifi_lora_32_V4", "esp32s3", "esp32s3"},
    {"heltec_wireless_mini_shell", "esp32c3", "esp32c3"},
    {"um_tinypico", "esp32", "esp32"},
    {"um_tinys3", "esp32s3", "esp32s3"},
    {"esp32s3box", "esp32s3", "esp32s3"},
    {"XIAO_ESP32C6", "esp32c6", "esp32c6"},
    {"rpipicow", "rp2040", "rp2040"},
    {"adafruit_feather", "rp2040", "rp2040"},
    /* used by several cores, or for several chips */
    {"generic", "esp8266,rp2040", "esp8266,rp2040"},
    {"pimoroni_explorer", "rp2040,rp2350", "rp2040,rp2350"},
    {"generic_rp2350", "rp2040,rp2350", "rp2350"},
    {"rpipico2w", "rp2350", "rp2350"},
    /* announced by old cores, and possible names of new boards */
    {"ESP8266_NODEMCU", "esp8266", "esp8266"},
    {"RASPBERRY_PI_PICO_W", "rp2040", "rp2040"},
    {"RASPBERRY_PI_PICO_2W", "rp2350", "rp2350"},
    {"esp32dev", "esp32", "esp32"},
    {"ESP32_DEV", "esp32", "esp32"},
    {"ESP32S3_DEV", "esp32s3", "esp32s3"},
    {"esp32-c3-devkitm-1", "esp32c3", "esp32c3"},
    {"esp32s3thing", "esp32*", "esp32s3"},
    {"esp32-thing-to-come", "esp32*", "esp32*"},
    {"maker_esp32s2", "", "esp32s2"},
    {"maker_esp32", "", "esp32*"},
    {"my_esp8266", "", "esp8266"},
    {"maker_rp2350", "", "rp2350"},
};

static void test_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(type_rows); i++) {
        struct kind kind;

        kind_find(&kind, type_rows[i].type, NULL, 0);
        if (strcmp(kind.proven, type_rows[i].proven) != 0 ||
            strcmp(kind.likely, type_rows[i].likely) != 0)
            fail_msg("%s: \"%s\", \"%s\"", type_rows[i].type, kind.proven, kind.likely);
        if (*type_rows[i].likely)
            assert_non_null(strstr(kind.clue, type_rows[i].type));
        else
            assert_string_equal(kind.clue, "");
    }
}

static const struct {
    const char *type, *name, *proven;
} name_rows[] = {
    {"", "esp8266-a1b2c3", "esp8266"},
    {"", "ESP8266-A1B2C3.local", "esp8266"},
    {"", "esp8266-a1b2c3-2", "esp8266"},
    {"", "esp8266-a1b2c3 #2", "esp8266"},
    {"", "esp32-a1b2c3d4e5f6", "esp32*"},
    {"", "esp32-A1B2C3", "esp32*"},
    {"", "esp32s3-a1b2c3d4e5f6", "esp32s3"},
    {"", "esp32c61-A1B2C3", "esp32c61"},
    {"", "pico-e6614104034b5c25", "rp*"},
    {"", "pico-a1b2c3", "rp*"},
    {"", "ch32h4-a1b2c3", "ch32h4"},
    /* names that are not default names */
    {"", "", ""},
    {"", "esp8266", ""},
    {"", "esp8266-", ""},
    {"", "esp8266-a1b2c", ""},
    {"", "esp8266-a1b2c3d4", ""},
    {"", "esp8266-kitchen", ""},
    {"", "esp8266-a1b2c3-kitchen", ""},
    {"", "esp8266-a1b2c3-", ""},
    {"", "my-esp8266-a1b2c3", ""},
    {"", "esp32-cam", ""},
    {"", "esp32-a1b2c3d4", ""},
    {"", "esp32s9-a1b2c3", ""},
    {"", "esp-kitchen", ""},
    {"", "ESP-A1B2C3", ""}, /* sketches for an ESP32 use it, too */
    {"", "ESP_A1B2C3.lan", ""},
    {"", "pico-de", ""},
    /* board= counts more than the name */
    {"lolin32", "esp8266-a1b2c3", "esp32"},
    {"esp32dev", "esp8266-a1b2c3", "esp32"},
    {"generic", "esp8266-a1b2c3", "esp8266"},
    {"generic", "pico-a1b2c3", "rp*"},
    {"generic", "esp32-a1b2c3", "esp8266,rp2040"},
    {"my_esp8266", "esp32-a1b2c3", "esp32*"},
    {"unheard-of", "esp32-a1b2c3", "esp32*"},
};

static void test_kind_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(name_rows); i++) {
        const char *names[] = {"", name_rows[i].name};
        struct kind kind;

        kind_find(&kind, name_rows[i].type, names, COUNT(names));
        if (strcmp(kind.proven, name_rows[i].proven) != 0)
            fail_msg("%s, %s: \"%s\"", name_rows[i].type, name_rows[i].name, kind.proven);
    }
}

static void test_clue(void **state)
{
    const char *names[] = {"esp8266-a1b2c3", "esp32-a1b2c3"};
    struct kind kind;

    (void)state;
    kind_find(&kind, "nodemcuv2", names, COUNT(names));
    assert_string_equal(kind.clue, "announces itself as \"nodemcuv2\"");
    kind_find(&kind, "", names, COUNT(names));
    assert_string_equal(kind.clue, "is called \"esp8266-a1b2c3\""); /* the first name counts */
    names[0] = "ESP-A1B2C3";
    kind_find(&kind, "", names, COUNT(names));
    assert_string_equal(kind.clue, "is called \"esp32-a1b2c3\""); /* proof counts more */
    kind_find(&kind, "", names, 1);
    assert_string_equal(kind.likely, "esp8266");
    assert_string_equal(kind.clue, "is called \"ESP-A1B2C3\"");
    kind_find(&kind, "my_esp32", names, 1);
    assert_string_equal(kind.likely, "esp32*");
}

/* Names come from the network, with any length and any bytes. */
static void test_hostile(void **state)
{
    char type[300];
    struct kind kind;

    (void)state;
    memset(type, '\x1b', sizeof type - 1);
    memcpy(type, "esp32s3_", 8);
    type[sizeof type - 1] = '\0';
    const char *names[] = {type, type + 8};
    kind_find(&kind, type, names, COUNT(names));
    assert_string_equal(kind.proven, "esp32s3");
    assert_null(strchr(kind.clue, '\x1b'));
    assert_non_null(strstr(kind.clue, "\"esp32s3_\\x1b"));
    memset(type, 'a', sizeof type - 1);
    memcpy(type, "pico-", 5);
    kind_find(&kind, "", names, 1);
    assert_string_equal(kind.proven, "");
}

static void test_platform(void **state)
{
    static const struct {
        const char *type, *platform, *proven;
    } rows[] = {
        {"acme", "ESP8266", "esp8266"},
        {"acme", "ESP32", "esp32*"},
        {"acme", "ESP32-C3", "esp32c3"},
        {"acme", "ESP32S3", "esp32s3"},
        {"acme", "RP2040", "rp*"},
        {"acme", "BK72XX", "bk72xx"},
        {"acme", "BK7231N", "bk72xx"},
        {"acme", "RTL8710BN", "rtl87xx"},
        {"acme", "LN882HKI", "ln882x"},
        {"acme", "nRF52", "nrf52"},
        {"acme", "ESP32X", ""},
        {"acme", "", ""},
        {"nodemcuv2", "ESP32", "esp8266"}, /* the board is more exact */
    };
    struct kind kind;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        kind_find(&kind, rows[i].type, NULL, 0);
        kind_add_platform(&kind, rows[i].platform);
        assert_string_equal(kind.proven, rows[i].proven);
    }
    kind_find(&kind, "acme", NULL, 0);
    kind_add_platform(&kind, "ESP32");
    assert_string_equal(kind.clue, "announces the platform \"ESP32\"");
}

static void test_list_chips(void **state)
{
    static const struct {
        const char *chips, *text;
    } rows[] = {
        {"", ""},
        {"esp32*", ""},
        {"esp8266", " (esp8266)"},
        {"esp8266,rp2040", " (esp8266 or rp2040)"},
    };
    char text[KIND_CHIPS_MAX + 8];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        kind_list_chips(text, sizeof text, rows[i].chips);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kind_overlap), cmocka_unit_test(test_kind_table),
        cmocka_unit_test(test_search),       cmocka_unit_test(test_type),
        cmocka_unit_test(test_kind_name),    cmocka_unit_test(test_clue),
        cmocka_unit_test(test_hostile),      cmocka_unit_test(test_platform),
        cmocka_unit_test(test_list_chips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
