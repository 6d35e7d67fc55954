/*
 * inspect_esp.c: the common parts of images with Espressif's header: header, segments, checksum, as
 * in Espressif's "Firmware Image Format" (esptool).
 */
#include "image/inspect_internal.h"

enum {
    CHECKSUM_SEED = 0xEF,
    BLOCK = 16, /* the checksum is the last byte of a block */
};

static const char *flash_mode_name(unsigned char mode)
{
    static const char *const names[] = {"QIO", "QOUT", "DIO", "DOUT", "fast read", "slow read"};

    return mode < sizeof names / sizeof *names ? names[mode] : "unknown";
}

static unsigned char xor_bytes(unsigned char seed, const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        seed ^= data[i];
    return seed;
}

/* Adds the segment with its header at *offset, and moves *offset behind the segment's data. */
static bool walk_segment(struct esp_walk *walk, struct inspection *inspection, struct view view,
                         size_t *offset, unsigned total)
{
    struct inspect_segment *segment = &walk->segments[walk->count];
    unsigned number = (unsigned)walk->count + 1;

    if (!view_has(view, *offset, ESP_SEGMENT_HEADER_SIZE)) {
        inspect_judge(inspection, INSPECT_TRUNCATED,
                      "the file ends before segment %u of %u, which should start at byte %zu",
                      number, total, *offset);
        return false;
    }

    segment->address = view_u32(view, *offset);
    segment->size = view_u32(view, *offset + 4);
    segment->offset = *offset + ESP_SEGMENT_HEADER_SIZE;
    if (!view_has(view, segment->offset, segment->size)) {
        inspect_judge(inspection, INSPECT_TRUNCATED,
                      "the file ends within segment %u of %u, after %zu of its %u bytes", number,
                      total, view.size - segment->offset, segment->size);
        return false;
    }

    walk->computed = xor_bytes(walk->computed, view.data + segment->offset, segment->size);
    *offset = segment->offset + segment->size;
    walk->count++;
    return true;
}

bool esp_walk(struct esp_walk *walk, struct inspection *inspection, struct view view, size_t start,
              size_t header_size)
{
    unsigned total = view_u8(view, start + 1);
    size_t offset = start + header_size;

    walk->count = 0;
    walk->end = 0;
    walk->computed = CHECKSUM_SEED;
    if (total == 0 || total > INSPECT_SEGMENTS_MAX) {
        inspect_judge(inspection, INSPECT_MALFORMED,
                      "its header counts %u segments, where boards take 1 to %d", total,
                      INSPECT_SEGMENTS_MAX);
        return false;
    }

    while (walk->count < total)
        if (!walk_segment(walk, inspection, view, &offset, total))
            return false;

    walk->end = offset + BLOCK - (offset - start) % BLOCK;
    if (!view_has(view, offset, walk->end - offset)) {
        inspect_judge(inspection, INSPECT_TRUNCATED, "the file ends before the image's checksum");
        return false;
    }
    walk->stored = view_u8(view, walk->end - 1);
    return true;
}

bool esp_checksum_holds(const struct esp_walk *walk, struct inspection *inspection,
                        const char *whose)
{
    if (walk->stored == walk->computed)
        return true;

    inspect_judge(inspection, INSPECT_BAD_CHECKSUM,
                  "the checksum of %s is 0x%02x, but its segments give 0x%02x", whose, walk->stored,
                  walk->computed);
    return false;
}

void esp_take_segments(struct inspection *inspection, const struct esp_walk *walk)
{
    memcpy(inspection->segments, walk->segments, walk->count * sizeof *walk->segments);
    inspection->segment_count = walk->count;
}

void esp_take_header(struct inspection *inspection, struct view view, size_t offset)
{
    inspection->flash_mode = flash_mode_name(view_u8(view, offset + 2));
    inspection->has_entry = true;
    inspection->entry = view_u32(view, offset + 4);
}
