/*
 * utf8.c: decodes, encodes and repairs UTF-8. Allocates nothing.
 */
#include "base/utf8.h"

#include <string.h>

bool utf8_is_character(uint32_t number)
{
    return number <= 0x10FFFF && (number < 0xD800 || number > 0xDFFF);
}

size_t utf8_decode(uint32_t *character, const void *source, size_t length)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = source;
    unsigned char first = bytes[0];
    size_t size = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t value = size < 2 ? first : first & (0x7FU >> size);

    if (size == 0 || size > length || first > 0xF4)
        return 0;

    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3F);
    }

    if (value < smallest[size] || !utf8_is_character(value))
        return 0;
    *character = value;
    return size;
}

size_t utf8_encode(char *target, uint32_t character)
{
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

    for (size_t i = size; i-- > 1; character >>= 6)
        target[i] = (char)(0x80 | (character & 0x3F));
    target[0] = (char)(leads[size] | character);
    return size;
}

size_t utf8_repair(char *target, const void *source, size_t length)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const char *bytes = source;
    size_t used = 0;

    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t size = utf8_decode(&character, bytes + at, length - at);

        if (size > 0)
            memcpy(target + used, bytes + at, size);
        else
            memcpy(target + used, replacement, UTF8_REPAIRED);
        used += size > 0 ? size : UTF8_REPAIRED;
        at += size > 0 ? size : 1;
    }
    return used;
}

size_t utf8_mark(const char *text, size_t length)
{
    return length >= UTF8_MARK && memcmp(text, "\xef\xbb\xbf", UTF8_MARK) == 0 ? UTF8_MARK : 0;
}
