/*
 * test-inspect_esphome.c: the lines of ESPHome in an image, alone and among others, in part, and
 * within a gzip file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/inspected.h"

#include <stdio.h>
#include <string.h>

#define VERSION "ESPHome version 2026.9.0 compiled on %s"
#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

/* Lines end in '|' here, and in a NUL in the image. */
static const struct {
    const char *lines;
    const char *version, *project, *project_version;
} rows[] = {
    {"", "", "", ""},
    {VERSION "|", "2026.9.0", "", ""},
    {"esphome version 1.14.5 compiled on %s|", "", "", ""}, /* before there were projects */
    {VERSION, "", "", ""},                                  /* cut */
    {"ESPHome version 2026.9.0 compiled on Nov 24|", "", "", ""},
    {"ESPHome version  compiled on %s|", "", "", ""}, /* "%s" of a format */
    {"ESPHome version %s|no|" VERSION "|", "2026.9.0", "", ""},
    {VERSION "|Project acme.lamp version 1.3|", "2026.9.0", "acme.lamp", "1.3"},
    {"Project acme.lamp version 1.3|" VERSION "|", "2026.9.0", "acme.lamp", "1.3"},
    {"Project acme.lamp version 1.3|", "", "", ""}, /* nothing says that it is ESPHome's */
    {VERSION "|Project Gutenberg version 1.3|", "2026.9.0", "", ""},
    {VERSION "|Project a.b.c version 1.3|", "2026.9.0", "", ""},
    {VERSION "|Project acme.lamp version |", "2026.9.0", "", ""},
    {VERSION "|Project acme.lamp|", "2026.9.0", "", ""},
    {VERSION "|Project acme.lamp version 1.3", "2026.9.0", "", ""}, /* cut */
    {VERSION "|Project of ours|Project acme.lamp version 1 version 2|", "2026.9.0", "acme.lamp",
     "1 version 2"},
    {VERSION "|Project a\x1b.b version \x07|", "2026.9.0", "a\\x1b.b", "\\x07"},
    {VERSION "|Project a.b version " LONG "|", "2026.9.0", "a.b",
     "012345678901234567890123456789012345678901234567890123456789012"},
    {VERSION "|Project a.b version " LONG LONG LONG "|", "2026.9.0", "", ""},
};

static void expect_row(size_t i)
{
    assert_string_equal(inspection.esphome.version, rows[i].version);
    assert_string_equal(inspection.esphome.project, rows[i].project);
    assert_string_equal(inspection.esphome.project_version, rows[i].project_version);
}

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char lines[512];

        snprintf(lines, sizeof lines, "%s", rows[i].lines);
        for (char *end = lines; (end = strchr(end, '|'));)
            *end++ = '\0';
        firmware_clear(&firmware);
        firmware_fill(&firmware, 0xA5, 40);
        firmware_add(&firmware, lines, strlen(rows[i].lines));
        inspect_firmware();
        expect_row(i);
    }
}

static void test_gzip(void **state)
{
    static const char lines[] = VERSION "\0Project acme.lamp version 1.3";

    (void)state;
    firmware_make_rp2040(&firmware);
    firmware_add(&firmware, lines, sizeof lines);
    firmware_gzip(&firmware);
    inspect_firmware();
    assert_int_equal(inspection.inner, INSPECT_PICO);
    assert_string_equal(inspection.esphome.version, "2026.9.0");
    assert_string_equal(inspection.esphome.project, "acme.lamp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_gzip)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
