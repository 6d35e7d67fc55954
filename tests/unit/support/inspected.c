/*
 * inspected.c: inspects a file, and compares the result with the expected one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/inspected.h"

#include "base/escape.h"

#include <stdlib.h>
#include <string.h>

struct firmware firmware;
struct inspection inspection;

void expect_text(const char *text, const char *part)
{
    assert_true(escape_is_printable(text));
    if (strstr(text, part) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", part, text);
}

void inspect_bytes(const unsigned char *data, size_t size)
{
    unsigned char *copy = malloc(size + (size == 0));

    assert_non_null(copy);
    memcpy(copy, data, size);
    inspect_image(&inspection, copy, size);
    free(copy);
}

void inspect_firmware(void)
{
    inspect_bytes(firmware.data, firmware.size);
}

void expect(enum inspect_format format, enum inspect_integrity integrity,
            enum inspect_sending sending, const char *name, const char *verdict)
{
    inspect_firmware();

    expect_text(inspection.name, name);
    expect_text(inspection.verdict, verdict);
    assert_true(escape_is_printable(inspection.evidence) && inspection.evidence[0] != '\0');
    assert_string_equal(inspect_format_name(inspection.format), inspect_format_name(format));
    assert_string_equal(inspect_integrity_name(inspection.integrity),
                        inspect_integrity_name(integrity));
    assert_int_equal(inspection.sending, sending);
}

void expect_no_cut_is_valid(void)
{
    for (size_t size = 0; size < firmware.size; size++) {
        inspect_bytes(firmware.data, size);
        if (inspection.integrity == INSPECT_VALID)
            fail_msg("%zu of %zu bytes are a valid %s", size, firmware.size, inspection.name);
    }
}

void expect_no_flip_is_valid(size_t from, size_t to)
{
    static const unsigned char masks[] = {0x01, 0x80, 0xFF};

    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < sizeof masks; k++) {
            firmware.data[i] ^= masks[k];
            inspect_firmware();
            if (inspection.integrity == INSPECT_VALID)
                fail_msg("byte %zu changed by 0x%02x is a valid %s", i, masks[k], inspection.name);
            firmware.data[i] ^= masks[k];
        }
}
