/*
 * inspect_intel_hex.c: Intel HEX files: firmware as text, with one record per line. Each record has
 * an address and a checksum (Intel, "Hexadecimal Object File Format Specification").
 */
#include "image/inspect_internal.h"

#include "base/hex.h"

#include <stdio.h>

enum record { RECORD_DATA, RECORD_LAST, RECORD_BLANK, RECORD_CUT, RECORD_BAD_SUM, RECORD_NONE };
enum { BOM_SIZE = 3 };

static int read_byte(struct view view, size_t offset)
{
    return hex_byte(view_u8(view, offset), view_u8(view, offset + 1));
}

static bool is_blank(unsigned char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

/* Returns the line at *offset without the blanks around it; moves *offset behind the line. */
static struct view take_record_line(struct view view, size_t *offset)
{
    struct view line = view_from(view, *offset);
    size_t length = 0;

    while (length < line.size && line.data[length] != '\n')
        length++;
    *offset += length < line.size ? length + 1 : length;

    line.size = length;
    while (line.size > 0 && is_blank(line.data[line.size - 1]))
        line.size--;
    while (line.size > 0 && is_blank(*line.data))
        line = view_from(line, 1);
    return line;
}

/* A record is ":LLAAAATT", then LL bytes of data and a checksum, each byte as two digits. */
static enum record judge_record(struct view line)
{
    enum { OVERHEAD = 5, TYPE_INDEX = 3, TYPE_LAST = 1, TYPES = 6 };
    int length = read_byte(line, 1);
    size_t bytes = OVERHEAD + (size_t)(length < 0 ? 0 : length);
    unsigned sum = 0;

    if (line.size == 0)
        return RECORD_BLANK;
    if (line.data[0] != ':')
        return RECORD_NONE;

    for (size_t i = 0; i < bytes; i++) {
        int byte = read_byte(line, 1 + 2 * i);

        if (byte < 0)
            return view_has(line, 1 + 2 * i, 2) ? RECORD_NONE : RECORD_CUT;
        sum += (unsigned)byte;
    }

    if (line.size != 1 + 2 * bytes || read_byte(line, 1 + 2 * TYPE_INDEX) >= TYPES)
        return RECORD_NONE;
    if (sum % 256 != 0)
        return RECORD_BAD_SUM;
    return read_byte(line, 1 + 2 * TYPE_INDEX) == TYPE_LAST ? RECORD_LAST : RECORD_DATA;
}

/* Looks for records in at least half of the first lines, so that a damaged one can be reported. */
static bool looks_like_hex(struct view view)
{
    enum { LINES = 16 };
    size_t offset = 0;
    unsigned records = 0;
    unsigned others = 0;

    while (offset < view.size && records + others < LINES) {
        enum record record = judge_record(take_record_line(view, &offset));

        records += record == RECORD_DATA || record == RECORD_LAST || record == RECORD_BAD_SUM;
        others += record == RECORD_NONE;
    }
    return records > 0 && records >= others;
}

static void judge_records(struct inspection *inspection, struct view view)
{
    size_t offset = 0;
    unsigned line = 0;
    unsigned records = 0;
    enum record record;

    do {
        line++;
        record = judge_record(take_record_line(view, &offset));
        records += record != RECORD_BLANK;
    } while (record <= RECORD_BLANK && record != RECORD_LAST && offset < view.size);

    if (record == RECORD_LAST)
        inspect_judge(inspection, INSPECT_VALID, "the checksums of its %u records are correct",
                      records);
    else if (record == RECORD_BAD_SUM)
        inspect_judge(inspection, INSPECT_BAD_CHECKSUM, "the checksum of line %u is wrong", line);
    else if (record == RECORD_NONE || (record == RECORD_CUT && offset < view.size))
        inspect_judge(inspection, INSPECT_MALFORMED, "line %u is not a record", line);
    else
        inspect_judge(inspection, INSPECT_TRUNCATED,
                      "the file ends in line %u, without an end record", line);
}

bool inspect_intel_hex(struct inspection *inspection, struct view view)
{
    if (view_equals(view, 0, "\xEF\xBB\xBF", BOM_SIZE))
        view = view_from(view, BOM_SIZE);
    if (!looks_like_hex(view))
        return false;

    inspection->format = INSPECT_INTEL_HEX;
    snprintf(inspection->name, sizeof inspection->name, "Intel HEX file");
    judge_records(inspection, view);
    return true;
}
