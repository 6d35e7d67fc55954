/*
 * gzip.c: packs and compares gzip members with zlib.
 */
#include "image/gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    WINDOW_BITS_GZIP = 15 + 16, /* asks zlib for gzip's header and CRC-32 */
    MEMORY_LEVEL = 9,
    SYSTEM_UNKNOWN = 255,
};

/* Returns Z_STREAM_END if the output had room for everything. */
static int pack_bytes(z_stream *stream)
{
    gz_header header = {.os = SYSTEM_UNKNOWN};
    int status = deflateInit2(stream, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS_GZIP,
                              MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    if (status != Z_OK)
        return status;

    deflateSetHeader(stream, &header);
    status = deflate(stream, Z_FINISH);
    deflateEnd(stream);
    return status;
}

bool gzip_pack(unsigned char **packed, size_t *packed_size, const unsigned char *data, size_t size)
{
    *packed = NULL;
    *packed_size = 0;
    if (size < 2)
        return true;

    unsigned char *target = malloc(size - 1);
    if (!target)
        return false;

    z_stream stream = {.next_in = (unsigned char *)data,
                       .avail_in = (uInt)size,
                       .next_out = target,
                       .avail_out = (uInt)(size - 1)};
    int status = pack_bytes(&stream);
    if (status != Z_STREAM_END) {
        free(target);
        return status != Z_MEM_ERROR;
    }

    *packed_size = stream.total_out;
    *packed = target;
    return true;
}

/* Starts to unpack. Returns 1, 0 if packed is too large for zlib, or -1 if memory runs out. */
static int start_unpacking(z_stream *stream, const unsigned char *packed, size_t packed_size)
{
    *stream = (z_stream){.next_in = (unsigned char *)packed, .avail_in = (uInt)packed_size};
    if (packed_size > UINT32_MAX)
        return 0;
    return inflateInit2(stream, WINDOW_BITS_GZIP) == Z_OK ? 1 : -1;
}

/* Compares the output piece by piece, so that a bomb fails at its first wrong byte. Returns 1 if it
 * equals data, 0 if it does not, or -1 if memory runs out. */
static int unpacks_to(z_stream *stream, const unsigned char *data, size_t size)
{
    unsigned char piece[4096] = {0};
    size_t done = 0;
    int status = Z_OK;

    while (status == Z_OK) {
        stream->next_out = piece;
        stream->avail_out = sizeof piece;
        status = inflate(stream, Z_NO_FLUSH);

        size_t got = sizeof piece - stream->avail_out;
        /* cppcheck-suppress uninitvar ; inflate() writes there through next_out */
        if (got > size - done || memcmp(piece, data + done, got) != 0)
            return 0;
        done += got;
    }
    return status == Z_MEM_ERROR ? -1 : status == Z_STREAM_END && done == size;
}

ssize_t gzip_matches(const unsigned char *packed, size_t packed_size, const unsigned char *data,
                     size_t size)
{
    z_stream stream;
    int result = start_unpacking(&stream, packed, packed_size);
    if (result != 1)
        return result;

    result = unpacks_to(&stream, data, size);
    inflateEnd(&stream);
    return result == 1 ? (ssize_t)(packed_size - stream.avail_in) : result;
}

int gzip_unpack(unsigned char *target, size_t size, const unsigned char *packed, size_t packed_size)
{
    z_stream stream;
    const int result = size > UINT32_MAX ? 0 : start_unpacking(&stream, packed, packed_size);
    if (result != 1)
        return result;

    stream.next_out = target;
    stream.avail_out = (uInt)size;
    const int status = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return status == Z_MEM_ERROR ? -1 : status == Z_STREAM_END && stream.avail_out == 0;
}
