/*
 * suggest.c: the edit distance between two names, and a list of the names with the smallest.
 */
#include "base/suggest.h"

#include "base/escape.h"
#include "base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b)
{
    size_t row[SUGGEST_NAME_MAX]; /* row[j]: from the first i bytes of a to the first j of b */
    size_t length = strnlen(b, SUGGEST_NAME_MAX - 1);

    for (size_t j = 0; j <= length; j++)
        row[j] = j;

    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t changed = diagonal + !is_same_letter(a[i], b[j]);
            diagonal = row[j + 1];
            row[j + 1] = smaller(changed, smaller(row[j], diagonal) + 1);
        }
    }
    return row[length];
}

/* The length of a name without what all host names here end with. */
static size_t stem_length(const char *name)
{
    static const char domain[] = ".local";
    size_t length = strlen(name), end = sizeof domain - 1;

    return length > end && strcasecmp(name + length - end, domain) == 0 ? length - end : length;
}

static bool is_similar_name(const char *a, const char *b, size_t distance)
{
    size_t length = stem_length(a), other = stem_length(b);

    return 2 * distance <= (length > other ? length : other);
}

void suggest_offer(struct suggestions *suggestions, const char *wanted, const char *name)
{
    size_t away = suggest_distance(wanted, name);
    size_t place = suggestions->count;

    suggestions->total++;
    while (place > 0 && suggestions->best[place - 1].distance > away)
        place--;
    if (place == SUGGEST_MAX)
        return;

    if (suggestions->count < SUGGEST_MAX)
        suggestions->count++;
    memmove(&suggestions->best[place + 1], &suggestions->best[place],
            (suggestions->count - 1 - place) * sizeof suggestions->best[0]);
    suggestions->best[place].distance = away;
    suggestions->best[place].is_similar = is_similar_name(wanted, name, away);
    snprintf(suggestions->best[place].name, SUGGEST_NAME_MAX, "%s", name);
}

void suggest_keep_similar(struct suggestions *suggestions)
{
    size_t kept = 0;

    for (size_t i = 0; i < suggestions->count; i++)
        if (suggestions->best[i].is_similar)
            suggestions->best[kept++] = suggestions->best[i];
    suggestions->count = kept;
}

void suggest_list(char *target, size_t capacity, const struct suggestions *suggestions)
{
    char name[SUGGEST_NAME_MAX];

    target[0] = '\0';
    for (size_t i = 0; i < suggestions->count; i++)
        text_append(target, capacity, "%s\"%s\"", i ? ", " : "",
                    escape_string(name, sizeof name, suggestions->best[i].name));
}
