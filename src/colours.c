/*
 * colours.c: tells the sequences that choose a colour from the rest, one byte at a time. ESP-IDF
 * and RemoteDebug put one around each line, where it would hide the line's beginning and end from
 * patterns, and be in the way in a file. It knows no terminal; no other sequence is touched.
 */
#include "colours.h"

#include <stdbool.h>
#include <string.h>

enum { ESC = 0x1b };

/* Whether byte carries on what is held. */
static bool goes_on(const struct colours *colours, unsigned char byte)
{
    if (colours->held == 1)
        return byte == '[';
    return colours->held > 1 && colours->held < COLOURS_MAX &&
           ((byte >= '0' && byte <= '9') || byte == ';' || byte == ':');
}

static size_t take(struct colours *colours, unsigned char *target, unsigned char byte)
{
    if (goes_on(colours, byte)) {
        colours->bytes[colours->held++] = byte;
        return 0;
    }
    if (colours->held > 1 && byte == 'm') {
        colours->held = 0;
        return 0;
    }
    memcpy(target, colours->bytes, colours->held); /* it was something else */
    size_t used = colours->held;
    colours->held = 0;
    if (byte == ESC)
        colours->bytes[colours->held++] = byte;
    else
        target[used++] = byte;
    return used;
}

size_t colours_strip(struct colours *colours, unsigned char *target, const void *source,
                     size_t length)
{
    const unsigned char *bytes = source;
    size_t used = 0;
    for (size_t i = 0; i < length; i++)
        used += take(colours, target + used, bytes[i]);
    return used;
}
