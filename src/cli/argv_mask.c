/*
 * argv_mask.c: replaces the values of a command line by marks, and finds the values of marks. A
 * mark is \x01 INDEX . OFFSET \x02. Its value is argv[INDEX] from OFFSET to the end.
 */
#include "cli/argv_mask.h"

#include "base/text.h"
#include "crypto/digest.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARK_OPEN = '\x01', MARK_CLOSE = '\x02', MARK_MAX = 48 };

/* Returns where the value begins in a cluster of short options ("-rdaVALUE", "-a=VALUE"), or length
 * if there is no value. */
static size_t find_cluster_value(const char *cluster, size_t length, const char *letters_with_value)
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

/* Returns how much of an argument the parser may see. The rest begins at the value, at a blank in
 * the name of a long option (behind it is its value: "--auth VALUE" as one word), at a byte that
 * begins marks, or at popt's placeholder for the next argument: popt loops forever if an option's
 * value begins with '-' and contains it. */
static size_t shown_length(const char *argument, const char *letters_with_value)
{
    size_t length = strlen(argument);

    if (argument[0] != '-')
        return 0;

    size_t shown;
    if (argument[1] != '-') {
        shown = find_cluster_value(argument, length, letters_with_value);
    } else {
        shown = strcspn(argument, "= \t");
        shown += argument[shown] == '=';
    }

    const char *placeholder = strstr(argument, "!#:+");
    if (placeholder)
        shown = min_size(shown, (size_t)(placeholder - argument));

    return min_size(shown, strcspn(argument, (char[]){MARK_OPEN, '\0'}));
}

static char *mask_argument(const char *argument, int index, const char *letters_with_value)
{
    size_t shown = shown_length(argument, letters_with_value);

    /* The copy has a second terminator, as popt 1.19 reads one byte beyond the end of "-r=". */
    char *copy = calloc(1, shown + MARK_MAX + 1);
    if (!copy)
        return NULL;

    memcpy(copy, argument, shown);
    if (argument[shown] != '\0' || shown == 0)
        snprintf(copy + shown, MARK_MAX, "%c%d.%zu%c", MARK_OPEN, index, shown, MARK_CLOSE);
    return copy;
}

int argv_mask_init(struct argv_mask *argv_mask, int argc, char **argv,
                   const char *letters_with_value)
{
    *argv_mask = (struct argv_mask){.argc = argc, .original = argv};
    argv_mask->shown = calloc((size_t)argc + 1, sizeof *argv_mask->shown);
    if (!argv_mask->shown)
        return -1;

    for (int i = 0; i < argc; i++) {
        argv_mask->shown[i] = mask_argument(argv[i], i, letters_with_value);
        if (!argv_mask->shown[i]) {
            argv_mask_free(argv_mask);
            return -1;
        }
    }
    return 0;
}

void argv_mask_free(struct argv_mask *argv_mask)
{
    for (int i = 0; argv_mask->shown && i < argv_mask->argc; i++)
        free(argv_mask->shown[i]);
    free(argv_mask->shown);
    argv_mask->shown = NULL;
}

/* Parses the decimal number at *text, which must be followed by the byte end, and moves *text
 * behind it. False if there is no such number, or if it exceeds limit. */
static bool parse_mark_number(const char **text, char end, size_t limit, size_t *number)
{
    const char *after;
    uint64_t value;

    if (!parse_decimal(*text, limit, &value, &after) || *after != end)
        return false;

    *text = after + 1;
    *number = (size_t)value;
    return true;
}

/* Returns the value of the mark at *text, and moves *text behind the mark. NULL if there is no
 * valid mark. Aliases may contain anything, so marks are not trusted. */
static char *find_marked_value(const struct argv_mask *argv_mask, const char **text, size_t *index)
{
    const char *at = *text;
    size_t offset;

    if (*at++ != MARK_OPEN || argv_mask->argc < 1)
        return NULL;
    if (!parse_mark_number(&at, '.', (size_t)argv_mask->argc - 1, index))
        return NULL;

    /* The value cannot begin behind the end of the masked argument. A wiped argument is shorter. */
    size_t limit = strlen(argv_mask->shown[*index]);
    if (!parse_mark_number(&at, MARK_CLOSE, limit, &offset))
        return NULL;
    if (strnlen(argv_mask->original[*index], offset) < offset)
        return NULL;

    *text = at;
    return argv_mask->original[*index] + offset;
}

char *argv_mask_reveal(const struct argv_mask *argv_mask, const char *text,
                       void *(*allocate)(size_t size))
{
    size_t size = 1, index;

    for (const char *at = text; *at;) {
        const char *value = find_marked_value(argv_mask, &at, &index);
        if (value) {
            size += strlen(value);
        } else {
            size++;
            at++;
        }
    }

    char *copy = allocate(size);
    if (!copy)
        return NULL;

    char *end = copy;
    for (const char *at = text; *at;) {
        const char *value = find_marked_value(argv_mask, &at, &index);
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

void argv_mask_wipe(struct argv_mask *argv_mask, const char *text)
{
    size_t index;

    for (const char *at = text; *at;) {
        char *value = find_marked_value(argv_mask, &at, &index);
        if (value)
            digest_cleanse(value, strlen(value));
        else
            at++;
    }
}

int argv_mask_index(const struct argv_mask *argv_mask, const char *text)
{
    size_t index;

    for (const char *at = text; *at; at++) {
        if (find_marked_value(argv_mask, &at, &index))
            return (int)index;
    }
    return -1;
}

const char *argv_mask_argument(const struct argv_mask *argv_mask, const char *shown)
{
    int index = argv_mask_index(argv_mask, shown);

    return index < 0 ? shown : argv_mask->original[index];
}
