/* base64.c: see base64.h. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

enum { DIGIT_BITS = 6, PADDING = 64 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

void base64_encode(char *target, const void *bytes, size_t size)
{
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

/* The value of a digit; -1 for any other character. */
static int digit_value(char c)
{
    const char *found = memchr(digits, c, PADDING);

    return found ? (int)(found - digits) : -1;
}

long base64_decode(void *target, size_t capacity, const char *text)
{
    unsigned char *bytes = target;
    unsigned bits = 0, count = 0; /* those that are left over, and how many */
    size_t size = 0;
    int digit;

    for (; (digit = digit_value(*text)) >= 0; text++) {
        bits = bits << DIGIT_BITS | (unsigned)digit;
        count += DIGIT_BITS;
        if (count < 8)
            continue;
        count -= 8;
        if (size == capacity)
            return -1;
        bytes[size++] = (unsigned char)(bits >> count);
        bits &= (1U << count) - 1;
    }
    return count < DIGIT_BITS && bits == 0 && text[strspn(text, "=")] == '\0' ? (long)size : -1;
}
