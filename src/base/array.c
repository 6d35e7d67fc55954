/*
 * array.c: see array.h.
 */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

void *array_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity ? 2 * *capacity : 1;
    void *grown;

    if (count < *capacity)
        return items;
    if (wanted > SIZE_MAX / 2 / size)
        return NULL;

    grown = realloc(items, wanted * size);
    if (grown)
        *capacity = wanted;
    return grown;
}
