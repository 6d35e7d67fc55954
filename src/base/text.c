/* text.c: small operations on strings. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool text_append(char *text, size_t capacity, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    int added = vsnprintf(text + length, capacity - length, format, arguments);
    va_end(arguments);
    return added >= 0 && (size_t)added < capacity - length;
}

const char *text_separator(size_t i, size_t count, const char *last)
{
    if (i == 0)
        return "";
    return i + 1 == count ? last : ", ";
}

bool parse_decimal(const char *text, uint64_t limit, uint64_t *number, const char **end)
{
    const char *digit = text;
    bool is_within_limit = true;
    uint64_t value = 0;

    for (; *digit >= '0' && *digit <= '9'; digit++) {
        uint64_t units = (uint64_t)(*digit - '0');
        if (units > limit || value > (limit - units) / 10)
            is_within_limit = false;
        else
            value = value * 10 + units;
    }
    *end = digit;
    if (digit == text || !is_within_limit)
        return false;

    *number = value;
    return true;
}

bool text_is_url_path(const char *text)
{
    while (*text > ' ' && *text < 0x7F && *text != '"' && *text != '\\')
        text++;
    return *text == '\0';
}
