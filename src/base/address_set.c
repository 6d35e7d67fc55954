/*
 * address_set.c: a list that doubles in size.
 */
#include "base/address_set.h"

#include <stdlib.h>

bool address_set_has(const struct address_set *set, const struct address *address)
{
    for (size_t i = 0; i < set->count; i++)
        if (address_equal(&set->list[i], address))
            return true;
    return false;
}

bool address_set_add(struct address_set *set, const struct address *address)
{
    bool is_full = (set->count & (set->count - 1)) == 0; /* at 0 and at each power of two */

    if (address_set_has(set, address))
        return true;

    if (is_full) {
        size_t capacity = set->count ? 2 * set->count : 1;
        struct address *list = realloc(set->list, capacity * sizeof *list);

        if (!list)
            return false;
        set->list = list;
    }

    set->list[set->count++] = *address;
    return true;
}

void address_set_clear(struct address_set *set)
{
    free(set->list);
    *set = (struct address_set){0};
}
