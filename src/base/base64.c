/* base64.c: see base64.h. */
#include "base/base64.h"

#include <stdint.h>

void base64_encode(char *target, const void *bytes, size_t size)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    enum { PADDING = 64 };
    const unsigned char *from = bytes;

    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < size ? from[i + k] : 0U);
        *target++ = digits[bits >> 18];
        *target++ = digits[bits >> 12 & 63];
        *target++ = digits[i + 1 < size ? bits >> 6 & 63 : PADDING];
        *target++ = digits[i + 2 < size ? bits & 63 : PADDING];
    }
    *target = '\0';
}
