/*
 * inspect_gzip.c: gzip files (RFC 1952). A file that unpacks is whole; its content is inspected in
 * its place.
 */
#include "image/inspect_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    UNPACKED_MAX = 16 * 1024 * 1024, /* the largest flash chip in the field */
    FIRST_CAPACITY = 64 * 1024,
    WINDOW_BITS_GZIP = 15 + 16, /* asks zlib for gzip's header and CRC-32 */
    WINDOW_BITS_ZLIB = 15,
};

enum outcome { UNPACKED, ENDS_EARLY, CORRUPT, TOO_LARGE, NO_MEMORY };

struct unpacked {
    unsigned char *data;
    size_t size;
    size_t capacity;
};

/* Grows to UNPACKED_MAX + 1 bytes at most: if the last one is used, the data is too large. */
static bool grow_output(struct unpacked *unpacked)
{
    size_t capacity = unpacked->capacity == 0 ? FIRST_CAPACITY : unpacked->capacity * 2;
    unsigned char *data;

    if (capacity > UNPACKED_MAX)
        capacity = UNPACKED_MAX + 1;
    data = realloc(unpacked->data, capacity);
    if (!data)
        return false;

    unpacked->data = data;
    unpacked->capacity = capacity;
    return true;
}

static enum outcome inflate_all(struct unpacked *unpacked, z_stream *stream)
{
    for (;;) {
        size_t before = unpacked->size;
        int status;

        if (unpacked->size > UNPACKED_MAX)
            return TOO_LARGE;
        if (unpacked->size == unpacked->capacity && !grow_output(unpacked))
            return NO_MEMORY;

        stream->next_out = unpacked->data + unpacked->size;
        stream->avail_out = (uInt)(unpacked->capacity - unpacked->size);
        status = inflate(stream, Z_NO_FLUSH);
        unpacked->size = unpacked->capacity - stream->avail_out;

        if (status == Z_STREAM_END)
            return UNPACKED;
        if (status == Z_BUF_ERROR || (stream->avail_in == 0 && unpacked->size == before))
            return ENDS_EARLY;
        if (status != Z_OK)
            return status == Z_MEM_ERROR ? NO_MEMORY : CORRUPT;
    }
}

/* *used: the length of the compressed data in the view. */
static enum outcome unpack_stream(struct unpacked *unpacked, struct view view, int window_bits,
                                  size_t *used)
{
    z_stream stream = {.next_in = (unsigned char *)view.data, .avail_in = (uInt)view.size};
    enum outcome outcome;

    if (view.size > UINT32_MAX)
        return TOO_LARGE;
    if (inflateInit2(&stream, window_bits) != Z_OK)
        return NO_MEMORY;

    outcome = inflate_all(unpacked, &stream);
    *used = view.size - stream.avail_in;
    inflateEnd(&stream);
    return outcome;
}

static void judge_outcome(struct inspection *inspection, enum outcome outcome)
{
    switch (outcome) {
    case ENDS_EARLY:
        inspect_judge(inspection, INSPECT_TRUNCATED, "the file ends before its compressed data do");
        break;
    case TOO_LARGE:
        inspection->is_too_large = true;
        inspect_judge(inspection, INSPECT_CANNOT_TELL,
                      "it unpacks to more than %d bytes, which no board has room for",
                      UNPACKED_MAX);
        break;
    case NO_MEMORY:
        inspection->trouble = ENOMEM;
        inspect_judge(inspection, INSPECT_CANNOT_TELL, "there is not enough memory to unpack it");
        break;
    case CORRUPT:
    case UNPACKED:
        inspect_judge(inspection, INSPECT_BAD_CHECKSUM, "it does not unpack: the data are corrupt");
    }
}

/* Takes the facts of the unpacked data; name, sizes and trailer are those of the gzip file. */
static void take_unpacked(struct inspection *inspection, struct view view, struct view inner,
                          size_t used)
{
    char name[sizeof inspection->name];

    inspect_plain(inspection, inner);
    if (inner.size == 0)
        inspect_set_foreign(inspection, INSPECT_BLANK, "an empty file",
                            "build it or copy it again");
    if (inspection->integrity == INSPECT_CANNOT_TELL && inspection->trailer != INSPECT_STRAY_BYTES)
        inspect_judge(inspection, INSPECT_VALID, "its CRC-32 is correct");

    inspection->inner = inspection->format;
    inspection->unpacked_size = inner.size;
    snprintf(name, sizeof name, "%s", inspection->name);
    snprintf(inspection->name, sizeof inspection->name, "gzip file (%.64s)", name);

    inspection->image_size = used;
    inspection->trailer = INSPECT_NO_TRAILER;
    inspection->trailer_size = 0;
    if (used < view.size)
        inspect_set_trailer(inspection, view,
                            inspect_has_esp8266_signature(view, used) ? INSPECT_SIGNATURE_ESP8266
                                                                      : INSPECT_STRAY_BYTES);
}

bool inspect_gzip(struct inspection *inspection, struct view view)
{
    struct unpacked unpacked = {.data = NULL};
    enum outcome outcome;
    size_t used = 0;

    if (!view_equals(view, 0, "\x1F\x8B", 2))
        return false;

    snprintf(inspection->name, sizeof inspection->name, "gzip file");
    inspection->image_size = view.size;
    outcome = unpack_stream(&unpacked, view, WINDOW_BITS_GZIP, &used);
    if (outcome == UNPACKED)
        take_unpacked(inspection, view, (struct view){unpacked.data, unpacked.size}, used);
    else
        judge_outcome(inspection, outcome);

    inspection->format = INSPECT_GZIP;
    free(unpacked.data);
    return true;
}

/* The header of a zlib stream (RFC 1950) has only two bytes, so the checksum at the end decides. */
bool inspect_zlib(struct inspection *inspection, struct view view)
{
    enum { METHOD_DEFLATE = 8, DICTIONARY = 0x20 };
    struct unpacked unpacked = {.data = NULL};
    enum outcome outcome;
    size_t used = 0;

    if ((view_u8(view, 0) & 0x8F) != METHOD_DEFLATE || (view_u8(view, 1) & DICTIONARY) != 0 ||
        (view_u8(view, 0) * 256 + view_u8(view, 1)) % 31 != 0)
        return false;

    outcome = unpack_stream(&unpacked, view, WINDOW_BITS_ZLIB, &used);
    free(unpacked.data);
    if (outcome != UNPACKED || used != view.size)
        return false;

    inspect_set_foreign(inspection, INSPECT_ARCHIVE, "a zlib stream", "unpack it first");
    return true;
}
