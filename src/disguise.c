/*
 * disguise.c: hides the values of a command line behind marks and finds them again. A mark is
 * \x01 INDEX . OFFSET \x02: the bytes of argv[INDEX] from OFFSET to its end. Touches nothing but
 * argv.
 */
#include "disguise.h"

#include "digest.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARK_OPEN = '\x01', MARK_CLOSE = '\x02', MARK_MAX = 48 };

/* Where the value begins in a cluster of short options ("-rdaVALUE", "-a=VALUE"): length when there
 * is none. */
static size_t cluster_value(const char *cluster, size_t length, const char *letters_with_value)
{
    for (size_t i = 1; i < length; i++) {
        if (strchr(letters_with_value, cluster[i]))
            return i + 1 + (cluster[i + 1] == '=');
    }
    return length;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How much of an argument may be shown. Nothing from a byte that looks like a mark on, nor what
 * popt takes for its own sign for the next argument: one in an argument that begins with '-' and is
 * the value of an option makes it loop for ever. */
static size_t shown_length(const char *argument, const char *letters_with_value)
{
    size_t length = strlen(argument);
    if (argument[0] != '-')
        return 0;
    const char *equals = strchr(argument, '=');
    size_t shown = length;
    if (argument[1] != '-')
        shown = cluster_value(argument, length, letters_with_value);
    else if (equals)
        shown = (size_t)(equals - argument) + 1;
    const char *next_argument = strstr(argument, "!#:+");
    if (next_argument)
        shown = min_size(shown, (size_t)(next_argument - argument));
    return min_size(shown, strcspn(argument, (char[]){MARK_OPEN, '\0'}));
}

static char *hide(const char *argument, int index, const char *letters_with_value)
{
    size_t shown = shown_length(argument, letters_with_value);
    /* One more terminator than needed: popt 1.19 looks one byte behind the end of "-r=". */
    char *copy = calloc(1, shown + MARK_MAX + 1);
    if (!copy)
        return NULL;
    memcpy(copy, argument, shown);
    if (argument[shown] != '\0' || shown == 0)
        snprintf(copy + shown, MARK_MAX, "%c%d.%zu%c", MARK_OPEN, index, shown, MARK_CLOSE);
    return copy;
}

int disguise_init(struct disguise *disguise, int argc, char **argv, const char *letters_with_value)
{
    *disguise = (struct disguise){.argc = argc, .original = argv};
    disguise->shown = calloc((size_t)argc + 1, sizeof *disguise->shown);
    if (!disguise->shown)
        return -1;
    for (int i = 0; i < argc; i++) {
        disguise->shown[i] = hide(argv[i], i, letters_with_value);
        if (!disguise->shown[i]) {
            disguise_free(disguise);
            return -1;
        }
    }
    return 0;
}

void disguise_free(struct disguise *disguise)
{
    for (int i = 0; disguise->shown && i < disguise->argc; i++)
        free(disguise->shown[i]);
    free(disguise->shown);
    disguise->shown = NULL;
}

/* Reads the decimal number at *text and moves behind it and the byte that must end it. */
static bool read_number(const char **text, char end, size_t limit, size_t *number)
{
    const char *digit = *text;
    size_t value = 0;
    for (; *digit >= '0' && *digit <= '9' && value <= limit; digit++)
        value = value * 10 + (size_t)(*digit - '0');
    if (digit == *text || *digit != end || value > limit)
        return false;
    *text = digit + 1;
    *number = value;
    return true;
}

/* The bytes behind the mark at *text, which then moves behind the mark; NULL when none is there. An
 * alias may contain anything, so a mark is not trusted. */
static char *follow(const struct disguise *disguise, const char **text, size_t *index)
{
    const char *at = *text;
    size_t offset;
    if (*at++ != MARK_OPEN || disguise->argc < 1)
        return NULL;
    if (!read_number(&at, '.', (size_t)disguise->argc - 1, index))
        return NULL;
    /* The end is where the mark's own argument was cut, or before it when that has been wiped. */
    size_t limit = strlen(disguise->shown[*index]);
    if (!read_number(&at, MARK_CLOSE, limit, &offset))
        return NULL;
    if (strnlen(disguise->original[*index], offset) < offset)
        return NULL;
    *text = at;
    return disguise->original[*index] + offset;
}

char *disguise_reveal(const struct disguise *disguise, const char *text,
                      void *(*allocate)(size_t size))
{
    size_t size = 1, index;
    for (const char *at = text; *at;) {
        const char *value = follow(disguise, &at, &index);
        size += value ? strlen(value) : 1;
        at += value ? 0 : 1;
    }
    char *copy = allocate(size);
    if (!copy)
        return NULL;
    char *end = copy;
    for (const char *at = text; *at;) {
        const char *value = follow(disguise, &at, &index);
        if (value) {
            size_t length = strlen(value);
            memcpy(end, value, length);
            end += length;
        } else {
            *end++ = *at++;
        }
    }
    *end = '\0';
    return copy;
}

void disguise_wipe(struct disguise *disguise, const char *text)
{
    size_t index;
    for (const char *at = text; *at;) {
        char *value = follow(disguise, &at, &index);
        if (value)
            digest_cleanse(value, strlen(value));
        else
            at++;
    }
}

int disguise_index(const struct disguise *disguise, const char *text)
{
    size_t index;
    for (const char *at = text; *at; at++) {
        if (follow(disguise, &at, &index))
            return (int)index;
    }
    return -1;
}

const char *disguise_argument(const struct disguise *disguise, const char *shown)
{
    int index = disguise_index(disguise, shown);
    return index < 0 ? shown : disguise->original[index];
}
