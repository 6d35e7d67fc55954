/*
 * colors.c: tells the sequences that choose a color from the rest, one byte at a time. ESP-IDF
 * and RemoteDebug put one around each line, where it would hide the line's beginning and end from
 * patterns, and be in the way in a file. It knows no terminal; no other sequence is touched.
 */
#include "boardlog/sgr_strip.h"

#include <stdbool.h>
#include <string.h>

enum { ESC = 0x1b };

/* Whether byte carries on what is held. */
static bool goes_on(const struct sgr_strip *colors, unsigned char byte)
{
    if (colors->held == 1)
        return byte == '[';
    return colors->held > 1 && colors->held < SGR_STRIP_MAX &&
           ((byte >= '0' && byte <= '9') || byte == ';' || byte == ':');
}

static size_t take_color_byte(struct sgr_strip *colors, unsigned char *target, unsigned char byte)
{
    if (goes_on(colors, byte)) {
        colors->bytes[colors->held++] = byte;
        return 0;
    }
    if (colors->held > 1 && byte == 'm') {
        colors->held = 0;
        return 0;
    }

    memcpy(target, colors->bytes, colors->held); /* it was something else */
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
