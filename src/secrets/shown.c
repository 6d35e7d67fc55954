/* shown.c: see shown.h. */
#include "secrets/shown.h"

#include "base/escape.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

const char *shown_word(char shown[SHOWN_WORD_MAX], const char *word, const char *ends)
{
    enum { ROOM_FOR_DOTS = 4 };
    const size_t length = strcspn(word, ends);

    if (!word[length] || !word[length + 1])
        return escape_string(shown, SHOWN_WORD_MAX, word);

    escape_text(shown, SHOWN_WORD_MAX - ROOM_FOR_DOTS, word, length + 1);
    text_append(shown, SHOWN_WORD_MAX, "...");
    return shown;
}

/* The password may have any character in it, a slash, too; so may the path, and then more is hidden
 * than has to be. */
const char *shown_url(char *target, size_t capacity, const char *url)
{
    const char *scheme_end = strstr(url, "://");
    const char *user = scheme_end ? scheme_end + strlen("://") : url;
    const char *host = strrchr(user, '@');
    const char *colon = host ? memchr(user, ':', (size_t)(host - user)) : NULL;

    if (!colon)
        return escape_string(target, capacity, url);

    escape_text(target, capacity / 2, url, (size_t)(colon - url) + 1);
    text_append(target, capacity, "...");
    const size_t used = strlen(target);
    escape_string(target + used, capacity - used, host);
    return target;
}

/* Base64 of some 32 bytes. */
static bool is_like_key(const char *text)
{
    enum { LEAST = 40, LIMIT = 48 };
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t length = strspn(text, digits);

    return length >= LEAST && length <= LIMIT && text[length + strspn(text + length, "=")] == '\0';
}

const char *shown_path(char shown[SHOWN_WORD_MAX], const char *path)
{
    if (strpbrk(path, "/.") && !is_like_key(path))
        return escape_string(shown, SHOWN_WORD_MAX, path);
    snprintf(shown, SHOWN_WORD_MAX, "(its name is not shown: it may be the secret itself)");
    return shown;
}
