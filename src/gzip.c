/*
 * gzip.c: see gzip.h. It knows zlib, and no image.
 */
#include "gzip.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    WINDOW_BITS_GZIP = 15 + 16, /* zlib's sign for gzip's header and CRC-32 */
    MEMORY_LEVEL = 9,
    SYSTEM_UNKNOWN = 255,
};

/* The size of what came out; 0 when it does not fit, or memory ran out (*status tells). */
static size_t pack(unsigned char *target, size_t capacity, const unsigned char *data, size_t size,
                   int *status)
{
    gz_header header = {.os = SYSTEM_UNKNOWN};
    z_stream stream = {.next_in = (unsigned char *)data,
                       .avail_in = (uInt)size,
                       .next_out = target,
                       .avail_out = (uInt)capacity};
    *status = deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL,
                           Z_DEFAULT_STRATEGY);
    if (*status != Z_OK)
        return 0;
    deflateSetHeader(&stream, &header);
    *status = deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return *status == Z_STREAM_END ? capacity - stream.avail_out : 0;
}

bool gzip_pack(unsigned char **packed, size_t *packed_size, const unsigned char *data, size_t size)
{
    int status;
    *packed = NULL;
    *packed_size = 0;
    if (size < 2)
        return true;
    unsigned char *target = malloc(size - 1);
    if (!target)
        return false;
    *packed_size = pack(target, size - 1, data, size, &status);
    if (*packed_size == 0) {
        free(target);
        return status == Z_OK || status == Z_BUF_ERROR;
    }
    unsigned char *smaller = realloc(target, *packed_size);
    *packed = smaller ? smaller : target;
    return true;
}
