/*
 * address_set.c: a list without repetitions.
 */
#include "base/address_set.h"

#include "base/array.h"

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
    struct address *list;

    if (address_set_has(set, address))
        return true;

    list = array_grow(set->list, set->count, &set->capacity, sizeof *list);
    if (!list)
        return false;
    set->list = list;
    set->list[set->count++] = *address;
    return true;
}

void address_set_clear(struct address_set *set)
{
    free(set->list);
    *set = (struct address_set){0};
}
