/*
 * string_list.c: a list of strings, reallocated for each new one.
 */
#include "base/string_list.h"

#include <stdlib.h>

int strings_add(struct strings *strings, char *string)
{
    char **items = realloc(strings->items, (strings->count + 1) * sizeof *items);
    if (!items)
        return -1;
    strings->items = items;
    items[strings->count++] = string;
    return 0;
}

void strings_free(struct strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct strings){0};
}
