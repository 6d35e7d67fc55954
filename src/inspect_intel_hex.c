/*
 * inspect_intel_hex.c: firmware as text, in records with an address and a checksum each (Intel,
 * "Hexadecimal Object File Format Specification").
 */
#include "inspect_parts.h"

#include <stdio.h>

/* What stands at a record's place. */
enum hex_record { HEX_DATA, HEX_LAST, HEX_CUT, HEX_BAD_SUM, HEX_NONE };

static int hex_digit(unsigned char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return -1;
}

static int hex_byte(struct view view, size_t offset)
{
    int high = hex_digit(view_u8(view, offset));
    int low = hex_digit(view_u8(view, offset + 1));

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* :LLAAAATT, LL bytes of data and a sum, each as two digits; and the end of the line. */
static enum hex_record hex_record(struct view view, size_t *offset)
{
    enum { OVERHEAD = 5, TYPE_INDEX = 3, TYPE_LAST = 1 };
    int length = hex_byte(view, *offset + 1);
    size_t bytes = OVERHEAD + (size_t)(length < 0 ? 0 : length);
    unsigned sum = 0;
    int type = 0;

    if (view_u8(view, *offset) != ':')
        return HEX_NONE;
    for (size_t i = 0; i < bytes; i++) {
        int byte = hex_byte(view, *offset + 1 + 2 * i);

        if (byte < 0)
            return view_has(view, *offset + 1, 2 * i + 2) ? HEX_NONE : HEX_CUT;
        sum += (unsigned)byte;
        if (i == TYPE_INDEX)
            type = byte;
    }
    if (sum % 256 != 0)
        return HEX_BAD_SUM;
    *offset += 1 + 2 * bytes;
    while (view_u8(view, *offset) == '\r' || view_u8(view, *offset) == '\n')
        ++*offset;
    return type == TYPE_LAST ? HEX_LAST : HEX_DATA;
}

bool inspect_intel_hex(struct inspection *inspection, struct view view)
{
    size_t offset = 0;
    unsigned line = 0;
    enum hex_record record;

    do {
        line++;
        record = hex_record(view, &offset);
    } while (record == HEX_DATA && offset < view.size);
    if (line == 1 && record != HEX_DATA && record != HEX_LAST)
        return false;
    inspection->format = INSPECT_INTEL_HEX;
    snprintf(inspection->name, sizeof inspection->name, "Intel HEX file");
    if (record == HEX_LAST)
        inspect_judge(inspection, INSPECT_VALID, "the checksums of its %u records hold", line);
    else if (record == HEX_BAD_SUM)
        inspect_judge(inspection, INSPECT_BAD_CHECKSUM, "the checksum of record %u is wrong", line);
    else if (record == HEX_NONE)
        inspect_judge(inspection, INSPECT_MALFORMED, "record %u is none", line);
    else
        inspect_judge(inspection, INSPECT_TRUNCATED, "the file ends without an end record");
    return true;
}
