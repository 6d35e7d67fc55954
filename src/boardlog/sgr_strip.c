/*
 * sgr_strip.c: removes the sequences that choose a color, one byte at a time; other sequences stay.
 * ESP-IDF and RemoteDebug color each line. In a file the sequences would be noise, and patterns
 * could not match the beginning and the end of a line.
 */
#include "boardlog/sgr_strip.h"

#include <stdbool.h>
#include <string.h>

enum { ESC = 0x1b };

/* Whether byte continues the sequence held so far. */
static bool continues_sequence(const struct sgr_strip *colors, unsigned char byte)
{
    if (colors->held == 1)
        return byte == '[';
    return colors->held > 1 && colors->held < SGR_STRIP_MAX &&
           ((byte >= '0' && byte <= '9') || byte == ';' || byte == ':');
}

static size_t take_color_byte(struct sgr_strip *colors, unsigned char *target, unsigned char byte)
{
    if (continues_sequence(colors, byte)) {
        colors->bytes[colors->held++] = byte;
        return 0;
    }
    if (colors->held > 1 && byte == 'm') {
        colors->held = 0;
        return 0;
    }

    memcpy(target, colors->bytes, colors->held); /* no color after all */
    size_t used = colors->held;
    colors->held = 0;

    if (byte == ESC)
        colors->bytes[colors->held++] = byte;
    else
        target[used++] = byte;
    return used;
}

size_t sgr_strip(struct sgr_strip *colors, unsigned char *target, const void *source, size_t length)
{
    const unsigned char *bytes = source;
    size_t used = 0;

    for (size_t i = 0; i < length; i++)
        used += take_color_byte(colors, target + used, bytes[i]);
    return used;
}
