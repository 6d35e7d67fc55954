/*
 * test-fetcher.c: what the headers of each update library say, and what is no such header.
 */
#include "serve/fetcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define MD5 "1d854ab9553adaf4f77c10399ccaaeb1"

struct header {
    const char *name, *value;
};

static void read_fetcher_headers(struct fetcher *fetcher, const struct header headers[])
{
    *fetcher = (struct fetcher){0};
    for (; headers->name; headers++)
        fetcher_read_header(fetcher, headers->name, headers->value);
}

/* As the genuine ESP8266httpUpdate sends them. */
static void test_esp8266(void **state)
{
    (void)state;
    struct fetcher fetcher;
    char mac[MAC_TEXT_MAX];
    const struct header headers[] = {{"Host", "192.168.1.10:8080"},
                                     {"User-Agent", "ESP8266-http-Update"},
                                     {"Connection", "close"},
                                     {"x-ESP8266-Chip-ID", "15602487"},
                                     {"x-ESP8266-STA-MAC", "DC:4F:22:EE:13:37"},
                                     {"x-ESP8266-AP-MAC", "DE:4F:22:EE:13:37"},
                                     {"x-ESP8266-free-space", "647168"},
                                     {"x-ESP8266-sketch-size", "312000"},
                                     {"x-ESP8266-sketch-md5", MD5},
                                     {"x-ESP8266-chip-size", "1048576"},
                                     {"x-ESP8266-sdk-version", "2.2.2-dev(38a443e)"},
                                     {"x-ESP8266-mode", "sketch"},
                                     {"x-ESP8266-version", "1.2 \n"},
                                     {"Content-Length", "0"},
                                     {NULL, NULL}};

    read_fetcher_headers(&fetcher, headers);
    assert_int_equal(fetcher.family, INSPECT_FAMILY_ESP8266);
    assert_int_equal(fetcher.mode, FETCHER_SKETCH);
    assert_true(fetcher.has_mac && fetcher.has_md5 && fetcher.has_version);
    assert_string_equal(mac_text(mac, &fetcher.mac), "DC:4F:22:EE:13:37");
    assert_string_equal(fetcher.md5, MD5);
    assert_string_equal(fetcher.version, "1.2 \n");
    assert_true(fetcher.has_free_space);
    assert_int_equal(fetcher.free_space, 647168);
    assert_true(fetcher_unpacks(&fetcher));
    assert_string_equal(fetcher_family_name(fetcher.family), "ESP8266");
}

/* A Pico tells neither size nor MD5, and writes its names with capitals. */
static void test_pico(void **state)
{
    (void)state;
    struct fetcher fetcher;
    const struct header headers[] = {{"User-Agent", "Pico-HTTP-Update"},
                                     {"x-Pico-Chip-ID", "E6614104"},
                                     {"x-Pico-STA-MAC", "28-cd-c1-00-00-01"},
                                     {"x-Pico-Mode", "sketch"},
                                     {"x-Pico-Version", "7"},
                                     {NULL, NULL}};

    read_fetcher_headers(&fetcher, headers);
    assert_int_equal(fetcher.family, INSPECT_FAMILY_PICO);
    assert_int_equal(fetcher.mode, FETCHER_SKETCH);
    assert_true(fetcher.has_mac && fetcher.has_version);
    assert_false(fetcher.has_md5 || fetcher.has_free_space);
    assert_true(fetcher_unpacks(&fetcher));
}

static void test_families(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        unsigned family;
    } rows[] = {
        {"user-agent", "esp8266-HTTP-update", INSPECT_FAMILY_ESP8266},
        {"User-Agent", "ESP32-http-Update", INSPECT_FAMILY_ESP32},
        {"User-Agent", "ESP32 HTTP Client/1.0", INSPECT_FAMILY_ESP32},
        {"User-Agent", "Pico-HTTP-Update", INSPECT_FAMILY_PICO},
        {"User-Agent", "-http-Update", INSPECT_FAMILY_PICO}, /* of early releases */
        {"x--STA-MAC", "28:CD:C1:00:00:01", INSPECT_FAMILY_PICO},
        {"x-STA-MAC", "28:CD:C1:00:00:01", 0},
        {"User-Agent", "curl/7.88.1", 0},
        {"User-Agent", "", 0},
        {"X-ESP32-MODE", "sketch", INSPECT_FAMILY_ESP32},
        {"x-ESP32-", "", INSPECT_FAMILY_ESP32},
        {"x-ESP32", "", 0},
        {"x-ESP3-mode", "sketch", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fetcher fetcher = {0};
        fetcher_read_header(&fetcher, rows[i].name, rows[i].value);
        assert_int_equal(fetcher.family, rows[i].family);
    }
}

/* One header each, of an ESP32. */
static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        bool has_mac, has_md5, has_version, has_free_space;
    } rows[] = {
        {"STA-MAC", "24:0A:C4:00:00:01", true, false, false, false},
        {"STA-MAC", "24:0A-C4:00:00:01", false, false, false, false},
        {"STA-MAC", "240AC4000001", false, false, false, false},
        {"STA-MAC", "24:0A:C4:00:00:0g", false, false, false, false},
        {"STA-MAC", "24:0A:C4:00:00:01:02", false, false, false, false},
        {"STA-MAC", "00:00:00:00:00:00", false, false, false, false},
        {"STA-MAC", "FF:FF:FF:FF:FF:FF", false, false, false, false},
        {"STA-MAC", "01:00:5E:00:00:01", false, false, false, false},
        {"STA-MAC", "", false, false, false, false},
        {"AP-MAC", "24:0A:C4:00:00:01", false, false, false, false},
        {"sketch-md5", "1D854AB9553ADAF4F77C10399CCAAEB1", false, true, false, false},
        {"sketch-md5", "1d854ab9553adaf4f77c10399ccaaeb", false, false, false, false},
        {"sketch-md5", MD5 "0", false, false, false, false},
        {"sketch-md5", "1d854ab9553adaf4f77c10399ccaaebg", false, false, false, false},
        {"sketch-sha256", MD5 MD5, false, false, false, false},
        {"version", "1", false, false, true, false},
        {"version", "", false, false, false, false},
        {"free-space", "4294967295", false, false, false, true},
        {"free-space", "4294967296", false, false, false, false},
        {"free-space", "-1", false, false, false, false},
        {"free-space", "1 ", false, false, false, false},
        {"free-space", "", false, false, false, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fetcher fetcher = {0};
        char name[64];
        snprintf(name, sizeof name, "x-ESP32-%s", rows[i].name);
        fetcher_read_header(&fetcher, name, rows[i].value);
        assert_int_equal(fetcher.has_mac, rows[i].has_mac);
        assert_int_equal(fetcher.has_md5, rows[i].has_md5);
        assert_int_equal(fetcher.has_version, rows[i].has_version);
        assert_int_equal(fetcher.has_free_space, rows[i].has_free_space);
        if (fetcher.has_md5)
            assert_string_equal(fetcher.md5, MD5);
    }
}

static void test_version_length(void **state)
{
    (void)state;
    struct fetcher fetcher = {0};
    char version[FETCHER_VERSION_MAX + 1];

    memset(version, 'v', sizeof version - 1);
    version[FETCHER_VERSION_MAX] = '\0';
    fetcher_read_header(&fetcher, "x-ESP32-version", version);
    assert_false(fetcher.has_version);

    fetcher_read_header(&fetcher, "x-ESP32-version", version + 1);
    assert_true(fetcher.has_version);
    assert_string_equal(fetcher.version, version + 1);
}

static void test_modes(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum fetcher_mode mode;
        enum inspect_format filesystem;
    } rows[] = {{"sketch", FETCHER_SKETCH, INSPECT_UNKNOWN},
                {"spiffs", FETCHER_FILESYSTEM, INSPECT_UNKNOWN},
                {"version", FETCHER_VERSION, INSPECT_UNKNOWN},
                {"Sketch", FETCHER_SKETCH, INSPECT_UNKNOWN},
                {"fatfs", FETCHER_FILESYSTEM, INSPECT_FAT},
                {"littlefs", FETCHER_FILESYSTEM, INSPECT_LITTLEFS},
                {"flashfs", FETCHER_FILESYSTEM, INSPECT_UNKNOWN},
                {"firmware", FETCHER_OTHER_MODE, INSPECT_UNKNOWN},
                {"", FETCHER_OTHER_MODE, INSPECT_UNKNOWN}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fetcher fetcher = {0};
        fetcher_read_header(&fetcher, "x-ESP8266-mode", rows[i].value);
        assert_int_equal(fetcher.mode, rows[i].mode);
        assert_int_equal(fetcher.filesystem, rows[i].filesystem);
    }
}

/* That of the station interface counts, wherever it stands; the chip's, if there is no other. */
static void test_base_mac(void **state)
{
    (void)state;
    static const struct {
        struct header headers[4];
        const char *mac;
    } rows[] = {
        {{{"x-ESP32-BASE-MAC", "60:55:F9:00:00:01"}, {NULL, NULL}}, "60:55:F9:00:00:01"},
        {{{"x-ESP32-BASE-MAC", "60:55:F9:00:00:01"},
          {"x-ESP32-STA-MAC", "60:55:F9:00:00:02"},
          {"x-ESP32-STA-MAC", "60:55:F9:00:00:03"},
          {NULL, NULL}},
         "60:55:F9:00:00:02"},
        {{{"x-ESP32-STA-MAC", "60:55:F9:00:00:02"},
          {"x-ESP32-BASE-MAC", "60:55:F9:00:00:01"},
          {NULL, NULL}},
         "60:55:F9:00:00:02"},
        {{{"x-ESP32-BASE-MAC", "60:55:F9:00:00:01"}, {"x-ESP32-STA-MAC", "none"}, {NULL, NULL}},
         "60:55:F9:00:00:01"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fetcher fetcher;
        char mac[MAC_TEXT_MAX];

        read_fetcher_headers(&fetcher, rows[i].headers);
        assert_true(fetcher.has_mac);
        assert_string_equal(mac_text(mac, &fetcher.mac), rows[i].mac);
    }
}

/* The first of two counts, of families, too. */
static void test_repeated(void **state)
{
    (void)state;
    struct fetcher fetcher;
    const struct header headers[] = {
        {"x-ESP32-version", "1"},           {"x-ESP32-version", "2"},
        {"x-ESP8266-version", "3"},         {"x-ESP8266-sketch-md5", MD5},
        {"User-Agent", "Pico-HTTP-Update"}, {"x-ESP32-mode", "sketch"},
        {"x-ESP32-mode", "spiffs"},         {"x-ESP32-free-space", "5"},
        {"x-ESP32-free-space", "6"},        {NULL, NULL}};

    read_fetcher_headers(&fetcher, headers);
    assert_int_equal(fetcher.family, INSPECT_FAMILY_ESP32);
    assert_string_equal(fetcher.version, "1");
    assert_int_equal(fetcher.mode, FETCHER_SKETCH);
    assert_int_equal(fetcher.free_space, 5);
    assert_false(fetcher.has_md5);
    assert_false(fetcher_unpacks(&fetcher));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_esp8266),        cmocka_unit_test(test_pico),
        cmocka_unit_test(test_families),       cmocka_unit_test(test_values),
        cmocka_unit_test(test_version_length), cmocka_unit_test(test_modes),
        cmocka_unit_test(test_base_mac),       cmocka_unit_test(test_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
