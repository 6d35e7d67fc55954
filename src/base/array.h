/*
 * array.h: an array that grows by doubling. Pure.
 */
#ifndef ESP_OTA_BASE_ARRAY_H
#define ESP_OTA_BASE_ARRAY_H

#include <stddef.h>

/* Makes room for one more item of size bytes behind count of them. Returns the array, which may
 * have moved, and updates *capacity (0: there is no array yet, items is NULL). NULL when memory ran
 * out; the array is unchanged then. The caller frees it with free(). */
void *array_grow(void *items, size_t count, size_t *capacity, size_t size);

#endif
