/* hex.c: see hex.h. */
#include "base/hex.h"

int hex_value(unsigned char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return character >= 'A' && character <= 'F' ? character - 'A' + 10 : -1;
}

int hex_byte(unsigned char high, unsigned char low)
{
    const int high_value = hex_value(high);
    const int low_value = hex_value(low);

    return high_value < 0 || low_value < 0 ? -1 : high_value << 4 | low_value;
}

void hex_encode(char *text, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *byte = bytes;

    for (size_t i = 0; i < size; i++) {
        *text++ = digits[byte[i] >> 4];
        *text++ = digits[byte[i] & 0xF];
    }
    *text = '\0';
}
