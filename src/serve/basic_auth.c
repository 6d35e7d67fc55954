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

/* Compares all that fits into credentials, whatever the lengths: the time tells neither where the
 * texts differ, nor how long the secret is. The text may not be longer. */
static bool is_equal(const unsigned char *bytes, size_t size, const char *text)
{
    unsigned char given[CREDENTIALS_MAX] = {0}, expected[CREDENTIALS_MAX] = {0};
    const size_t length = strnlen(text, CREDENTIALS_MAX);
    size_t difference = size ^ length;

    memcpy(given, bytes, size);
    memcpy(expected, text, length);
    for (size_t i = 0; i < CREDENTIALS_MAX; i++)
        difference |= given[i] ^ expected[i];

    digest_cleanse(given, sizeof given);
    digest_cleanse(expected, sizeof expected);
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
    bool matches = false;
    if (colon) {
        const size_t user_size = (size_t)(colon - credentials);
        const bool is_user = !user || is_equal(credentials, user_size, user);
        const bool is_password = is_equal(colon + 1, (size_t)size - user_size - 1, password);

        matches = is_user && is_password;
    }

    digest_cleanse(credentials, sizeof credentials);
    return matches;
}
