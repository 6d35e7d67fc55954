/*
 * log_escape.c: cuts the stream at the ends of lines and before an incomplete character.
 */
#include "boardlog/log_escape.h"

#include "base/escape.h"

#include <string.h>

/* The length of the multi-byte sequence that byte begins; 0 if it begins none. */
static size_t sequence_length(unsigned char byte)
{
    if (byte < 0xc2 || byte > 0xf4)
        return 0;
    return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/* How many bytes at the end are the beginning of a character. */
static size_t count_unfinished(const unsigned char *bytes, size_t length)
{
    for (size_t count = 1; count <= 3 && count <= length; count++) {
        const unsigned char byte = bytes[length - count];
        if (byte < 0x80 || byte >= 0xc0)
            return sequence_length(byte) > count ? count : 0;
    }
    return 0;
}

static size_t escape_lines(char *target, const unsigned char *bytes, size_t length)
{
    size_t used = 0;

    for (size_t at = 0; at < length;) {
        size_t end = at;
        while (end < length && bytes[end] != '\n' && bytes[end] != '\r')
            end++;
        escape_line(target + used, 6 * (end - at) + 8, bytes + at, end - at);
        used += strlen(target + used);
        for (at = end; at < length && (bytes[at] == '\n' || bytes[at] == '\r'); at++)
            target[used++] = (char)bytes[at];
    }
    return used;
}

size_t log_escape(struct log_escape *escape, char *target, const void *source, size_t length)
{
    const unsigned char *bytes = source;
    size_t used = 0;

    /* Adds single bytes until the held ones are a character, or cannot become one. */
    while (escape->held > 0 && length > 0) {
        unsigned char first[sizeof escape->bytes + 1];
        memcpy(first, escape->bytes, escape->held);
        first[escape->held] = *bytes++;
        const size_t count = escape->held + 1;
        length--;
        escape->held = count_unfinished(first, count);
        used += escape_lines(target + used, first, count - escape->held);
        memcpy(escape->bytes, first + count - escape->held, escape->held);
    }
    if (length == 0)
        return used;

    escape->held = count_unfinished(bytes, length);
    memcpy(escape->bytes, bytes + length - escape->held, escape->held);
    return used + escape_lines(target + used, bytes, length - escape->held);
}
