/* test-version_match.c: which texts and images tell a version. */
#include "base/version_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* As boards print their versions: Tasmota, WLED, ESPEasy, ESPHome. */
static const struct {
    const char *text, *version;
    bool in_text, in_data;
} rows[] = {
    {"0.15.1 (build 2412100, ESP32)", "0.15.1", true, true},
    {"0.15.1 (build 2412100, ESP32)", "2412100", true, true},
    {"0.15.1 (build 2412100, ESP32)", "build 2412100", true, true},
    {"0.15.1 (build 2412100, ESP32)", "build 24", false, false},
    {"0.15.10 (build 2412100)", "0.15.1", false, false},
    {"0.15.1-b2", "0.15.1", false, false},
    {"0.15.1.3", "0.15.1", false, false},
    {"0.15.1+3", "0.15.1", false, false},
    {"0.15.1~3", "0.15.1", false, false},
    {"0.15.1_3", "0.15.1", false, false},
    {"0.15.1rc", "0.15.1", false, false},
    {"0.15.1\xc3\xa4", "0.15.1", false, false},
    {"10.15.1", "0.15.1", false, true},
    {"3.0.15.1", "0.15.1", false, true},
    {"v0.15.1", "0.15.1", true, true},
    {"WLED V0.15.1", "0.15.1", true, true},
    {"dev0.15.1", "0.15.1", false, true},
    {"v0.15.1", ".15.1", false, true},
    {"vbeta", "beta", false, true},
    {"v0.15.1", "v0.15.1", true, true},
    {"0.15.10, 0.15.1", "0.15.1", true, true},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "15.5.0", true, true},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "15.5", false, false},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "15.5.0(", true, true},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "(tasmota)", true, true},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "2026-11-01T12:00:00", true, true},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "2026-11-01", true, true},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "of 2026-11-01", true, true},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "15.5.0(tasmota) of 2026-11-01", true, true},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "2026-11", false, false},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "026-11-01", false, false},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "2026-11-01T12", true, true},
    {"15.5.0(tasmota) of 2026-11-01T12:00:00", "11-01", false, false},
    {"2026-11-01T1", "2026-11-01", false, false},
    {"2026-11-01Test", "2026-11-01", false, false},
    {"2026-11-01t12", "2026-11-01", false, false},
    {"2026-11-01-12", "2026-11-01", false, false},
    {"2026-11-1T12", "2026-11-1", false, false},
    {"2026.11.01T12", "2026.11.01", false, false},
    {"1.2.3-01T12", "1.2.3-01", false, false},
    {"11-01T12", "11-01", false, false},
    {"20116, mega-20116 of 22:00:00", "20116", true, true},
    {"20116, mega-20116 of 22:00:00", "mega-2011", false, false},
    {"ESPHome 2026.9.0, project acme.lamp 1.2", "acme.lamp 1.2", true, true},
    {"ESPHome 2026.9.0, project acme.lamp 1.2", "2026.9", false, false},
    {"ESPHome 2026.9.0-dev", "2026.9.0", false, false},
    {"aaab", "aab", false, true},
    {"", "1", false, false},
    {"1", "1.2", false, false},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("  \"%s\" in \"%s\"\n", rows[i].version, rows[i].text);
        assert_int_equal(version_match_text(rows[i].text, rows[i].version), rows[i].in_text);
        assert_int_equal(version_match_data(rows[i].text, strlen(rows[i].text), rows[i].version),
                         rows[i].in_data);
    }
}

/* An image has other data before and after its strings, which end in NUL. */
static void test_data(void **state)
{
    static const char image[] = "\x99\x30\x30.15.10\0A0.15.1\0\xff";

    (void)state;
    assert_true(version_match_data(image, sizeof image, "0.15.1"));
    assert_false(version_match_data(image, 10, "0.15.1"));
    assert_true(version_match_data("2026-11-01T12", 13, "2026-11-01"));
    assert_false(version_match_data("2026-11-01T12", 12, "2026-11-01"));
    assert_false(version_match_data(image, 0, "0.15.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
