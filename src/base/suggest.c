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

enum { PART_MIN = 3 };

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
    /* rows[0][j]: from the first i bytes of a to the first j of b; the others are those before. */
    size_t rows[3][SUGGEST_NAME_MAX];
    size_t length = strnlen(b, SUGGEST_NAME_MAX - 1);

    for (size_t j = 0; j <= length; j++)
        rows[0][j] = j;

    for (size_t i = 0; a[i]; i++) {
        memmove(rows[1], rows[0], 2 * sizeof rows[0]);
        rows[0][0] = i + 1;

        for (size_t j = 0; j < length; j++) {
            bool is_swapped =
                i && j && is_same_letter(a[i], b[j - 1]) && is_same_letter(a[i - 1], b[j]);
            size_t changed = rows[1][j] + !is_same_letter(a[i], b[j]);

            rows[0][j + 1] = smaller(changed, smaller(rows[1][j + 1], rows[0][j]) + 1);
            if (is_swapped)
                rows[0][j + 1] = smaller(rows[0][j + 1], rows[2][j - 1] + 1);
        }
    }
    return rows[0][length];
}

bool suggest_is_similar(size_t distance, size_t length, size_t other)
{
    return 3 * distance <= (length > other ? length : other);
}

/* The length of a name without what all host names here end with. */
static size_t stem_length(const char *name)
{
    static const char domain[] = ".local";
    size_t length = strlen(name), end = sizeof domain - 1;

    return length > end && strcasecmp(name + length - end, domain) == 0 ? length - end : length;
}

/* Whether the stem of part occurs in that of whole, and is enough to say something. */
static bool is_part(const char *part, const char *whole)
{
    size_t size = stem_length(part), limit = stem_length(whole);

    for (size_t i = 0; size >= PART_MIN && i + size <= limit; i++)
        if (strncasecmp(part, whole + i, size) == 0)
            return true;
    return false;
}

static struct suggestion compare_names(const char *wanted, const char *name)
{
    struct suggestion suggestion = {.distance = suggest_distance(wanted, name)};

    snprintf(suggestion.name, sizeof suggestion.name, "%s", name);
    if (is_part(wanted, name) || is_part(name, wanted))
        suggestion.distance = smaller(suggestion.distance, 1);
    suggestion.is_similar =
        suggest_is_similar(suggestion.distance, stem_length(wanted), stem_length(name));
    return suggestion;
}

/* Whether a stands before b: the more similar one, else by name. */
static bool is_better(const struct suggestion *a, const struct suggestion *b)
{
    if (a->is_similar != b->is_similar)
        return a->is_similar;
    if (a->distance != b->distance)
        return a->distance < b->distance;
    return strcasecmp(a->name, b->name) < 0;
}

void suggest_offer(struct suggestions *suggestions, const char *wanted, const char *name)
{
    suggest_offer_noted(suggestions, wanted, name, NULL);
}

/* Whether the name is in best; it loses its note to an offer without one. */
static bool is_offered(struct suggestions *suggestions, const struct suggestion *offered)
{
    for (size_t i = 0; i < suggestions->count; i++) {
        struct suggestion *known = &suggestions->best[i];

        if (strcmp(known->name, offered->name) == 0) {
            if (!offered->note)
                known->note = NULL;
            return true;
        }
    }
    return false;
}

void suggest_offer_noted(struct suggestions *suggestions, const char *wanted, const char *name,
                         const char *note)
{
    struct suggestion offered = compare_names(wanted, name);
    size_t place = suggestions->count;

    offered.note = note;
    if (is_offered(suggestions, &offered))
        return;
    suggestions->total++;
    while (place > 0 && is_better(&offered, &suggestions->best[place - 1]))
        place--;
    if (place == SUGGEST_MAX)
        return;

    if (suggestions->count < SUGGEST_MAX)
        suggestions->count++;
    memmove(&suggestions->best[place + 1], &suggestions->best[place],
            (suggestions->count - 1 - place) * sizeof offered);
    suggestions->best[place] = offered;
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
    for (size_t i = 0; i < suggestions->count; i++) {
        const struct suggestion *best = &suggestions->best[i];

        text_append(target, capacity, "%s\"%s\"", i ? ", " : "",
                    escape_string(name, sizeof name, best->name));
        if (best->note)
            text_append(target, capacity, " (%s)", best->note);
    }
}
