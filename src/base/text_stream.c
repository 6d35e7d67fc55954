/*
 * text_stream.c: see text_stream.h. A write of fopencookie() that fails is remembered by the
 * stream.
 */
#include "base/text_stream.h"

#include <stdlib.h>
#include <string.h>

static ssize_t append_bytes(void *cookie, const char *data, size_t size)
{
    struct text_stream *stream = cookie;

    if (stream->capacity - stream->size <= size) { /* there is a terminator, too */
        const size_t capacity = 2 * (stream->size + size + 1);
        char *bytes = realloc(stream->bytes, capacity);
        if (!bytes)
            return 0;
        stream->bytes = bytes;
        stream->capacity = capacity;
    }
    memcpy(stream->bytes + stream->size, data, size);
    stream->size += size;
    stream->bytes[stream->size] = '\0';
    return (ssize_t)size;
}

static void release(struct text_stream *stream)
{
    free(stream->bytes);
    *stream = (struct text_stream){0};
}

bool text_stream_open(struct text_stream *stream)
{
    const cookie_io_functions_t functions = {.write = append_bytes};

    *stream = (struct text_stream){.bytes = calloc(1, 1), .capacity = 1};
    if (stream->bytes)
        stream->file = fopencookie(stream, "w", functions);
    if (!stream->file)
        release(stream);
    return stream->file;
}

bool text_stream_close(struct text_stream *stream)
{
    bool is_whole = !ferror(stream->file);

    is_whole = fclose(stream->file) == 0 && is_whole;
    stream->file = NULL;
    if (!is_whole)
        release(stream);
    return is_whole;
}
