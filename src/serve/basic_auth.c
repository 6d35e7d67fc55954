/* basic_auth.c: see basic_auth.h. */
#include "serve/basic_auth.h"

#include "crypto/digest.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { CREDENTIALS_MAX = 2048 };

/* The value of a base64 digit; -1 for any other character. */
static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* Decodes up to the end of the text. Returns the number of bytes; -1 if it is not base64, or does
 * not fit. */
static long decode_base64(unsigned char *target, size_t capacity, const char *text)
{
    unsigned bits = 0, count = 0;
    size_t size = 0;
    int digit;

    for (; (digit = base64_digit(*text)) >= 0; text++) {
        bits = (bits << 6 | (unsigned)digit) & 0xFFFFFF;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        if (size == capacity)
            return -1;
        target[size++] = (unsigned char)(bits >> count);
    }
    return text[strspn(text, "=")] == '\0' ? (long)size : -1;
}

static bool is_equal(const unsigned char *bytes, size_t size, const char *text)
{
    unsigned char difference = 0;

    if (size != strlen(text))
        return false;
    for (size_t i = 0; i < size; i++)
        difference |= bytes[i] ^ (unsigned char)text[i];
    return difference == 0;
}

bool basic_auth_matches(const char *header, const char *user, const char *password)
{
    static const char scheme[] = "Basic ";
    unsigned char credentials[CREDENTIALS_MAX];

    if (!header || strncasecmp(header, scheme, strlen(scheme)) != 0)
        return false;

    header += strlen(scheme);
    long size = decode_base64(credentials, sizeof credentials, header + strspn(header, " "));
    const unsigned char *colon = size > 0 ? memchr(credentials, ':', (size_t)size) : NULL;
    bool matches = colon && (!user || is_equal(credentials, (size_t)(colon - credentials), user)) &&
                   is_equal(colon + 1, (size_t)(credentials + size - colon - 1), password);

    digest_cleanse(credentials, sizeof credentials);
    return matches;
}
