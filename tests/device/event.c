/* Quoting and escaping of values. */
#include "event.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_plain(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] <= ' ' || bytes[i] > '~' || strchr("\"\\=", bytes[i]))
            return false;
    return length > 0 && length < ESCAPED_ROOM;
}

static size_t escape_byte(char *text, unsigned char byte)
{
    static const char bytes[] = "\n\r\t\"\\", letters[] = "nrt\"\\";
    const char *at = byte ? strchr(bytes, byte) : NULL;

    if (at) {
        text[0] = '\\';
        text[1] = letters[at - bytes];
        return 2;
    }
    if (byte >= ' ' && byte <= '~') {
        text[0] = (char)byte;
        return 1;
    }

    static const char digits[] = "0123456789abcdef";
    memcpy(text, "\\x", 2);
    text[2] = digits[byte >> 4];
    text[3] = digits[byte & 15];
    return 4;
}

const char *event_value(const void *value, size_t length, char text[ESCAPED_ROOM])
{
    if (!is_plain(value, length))
        return event_quoted(value, length, text);
    memcpy(text, value, length);
    text[length] = '\0';
    return text;
}

const char *event_quoted(const void *value, size_t length, char text[ESCAPED_ROOM])
{
    const unsigned char *bytes = value;

    enum { TAIL = 10 }; /* the longest escape, "...", the quote, the end */
    size_t used = 0;
    text[used++] = '"';
    for (size_t i = 0; i < length; i++) {
        if (used + TAIL > ESCAPED_ROOM) {
            memcpy(text + used, "...", 3);
            used += 3;
            break;
        }
        used += escape_byte(text + used, bytes[i]);
    }
    text[used++] = '"';
    text[used] = '\0';
    return text;
}
