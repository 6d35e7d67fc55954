/* basic_auth.c: see basic_auth.h. */
#include "serve/basic_auth.h"

#include "base/base64.h"
#include "crypto/digest.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { CREDENTIALS_MAX = 2048 };

/* Compares all that fits into credentials, whatever the lengths. The text may not be longer. */
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
    long size = base64_decode(credentials, sizeof credentials, header + strspn(header, " "));
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
