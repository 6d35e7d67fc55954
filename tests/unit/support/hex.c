/*
 * hex.c: decodes pairs of hexadecimal digits.
 */
#include "support/hex.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

size_t hex_decode(unsigned char *bytes, size_t capacity, const char *text)
{
    size_t count = 0;

    for (; isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]); text += 2) {
        const char pair[] = {text[0], text[1], '\0'};

        assert_true(count < capacity);
        bytes[count++] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return count;
}
