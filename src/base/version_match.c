/* version_match.c: see version_match.h. */
#include "base/version_match.h"

#include <ctype.h>
#include <string.h>

/* Whether words of versions have such characters: "2026.9.0-dev", "1.2~rc1", "14.2.0_b", and
 * letters beyond ASCII. */
static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || (c && strchr(".-+~_", c));
}

/* Whether what is written on both sides of a place is one word. */
static bool is_joined(char before, char after)
{
    return is_of_word(before) && is_of_word(after);
}

static bool has_form(const char *text, const char *form)
{
    for (; *form; text++, form++)
        if (*form == '0' ? !isdigit((unsigned char)*text) : *text != *form)
            return false;
    return true;
}

/* Whether the wanted text, which has this length, ends where after begins, of which this much is
 * left. A date also ends before its time, "T12:00:00", as Tasmota writes it. */
static bool ends_word(const char *wanted, size_t length, const char *after, size_t left)
{
    static const char date[] = "0000-00-00", time[] = "T00";

    if (left == 0 || !is_joined(wanted[length - 1], *after))
        return true;
    return length >= sizeof date - 1 && has_form(wanted + length - (sizeof date - 1), date) &&
           left >= sizeof time - 1 && has_form(after, time);
}

bool version_match_data(const void *data, size_t size, const char *wanted)
{
    const char *at = data, *const end = at + size;
    const size_t length = strlen(wanted);

    while ((at = memmem(at, (size_t)(end - at), wanted, length))) {
        if (ends_word(wanted, length, at + length, (size_t)(end - at) - length))
            return true;
        at++;
    }
    return false;
}

/* The "v" of "v1.2" does not belong to the version. */
static bool begins_word(const char *told, const char *at)
{
    const bool has_v = at > told && (at[-1] == 'v' || at[-1] == 'V') && isdigit((unsigned char)*at);
    const char *word = has_v ? at - 1 : at;

    return word == told || !is_joined(word[-1], *word);
}

bool version_match_text(const char *told, const char *wanted)
{
    const size_t length = strlen(wanted);

    for (const char *at = told; (at = strstr(at, wanted)); at++)
        if (ends_word(wanted, length, at + length, strlen(at) - length) && begins_word(told, at))
            return true;
    return false;
}
