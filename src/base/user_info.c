/* user_info.c: see user_info.h. */
#include "base/user_info.h"

#include <stdbool.h>
#include <string.h>

/* Browsers take a backslash for a slash, and JSON may have one before each. */
static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* The index of the first character behind "//" or ":/"; length if there is none. */
static size_t find_authority(const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if (is_slash(text[i]) && (is_slash(text[i - 1]) || text[i - 1] == ':')) {
            do
                i++;
            while (i < length && is_slash(text[i]));
            return i;
        }
    return length;
}

static bool is_one_word(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("/?# \t\r\n", text[i])) /* also NUL */
            return false;
    return length > 0;
}

struct user_info user_info_in_text(const void *text, size_t length)
{
    const char *begin = text;
    const char *user = begin + find_authority(begin, length);
    const char *host = memrchr(user, '@', length - (size_t)(user - begin));

    if (!host)
        return (struct user_info){0};

    const char *colon = memchr(user, ':', (size_t)(host - user));
    if (colon)
        return (struct user_info){(size_t)(colon + 1 - begin), (size_t)(host - colon - 1)};
    if (is_one_word(user, (size_t)(host - user)))
        return (struct user_info){(size_t)(user - begin), (size_t)(host - user)};
    return (struct user_info){0};
}

struct user_info user_info_in_board(const char *text)
{
    const size_t length = strlen(text);
    const char *host = memrchr(text, '@', length);
    const char *colon = host ? memchr(text, ':', (size_t)(host - text)) : NULL;

    if (!colon || find_authority(text, length) < length)
        return user_info_in_text(text, length);
    return (struct user_info){(size_t)(colon + 1 - text), (size_t)(host - colon - 1)};
}
