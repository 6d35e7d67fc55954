/*
 * string_list.h: a list of strings that grows. Pure.
 */
#ifndef ESP_OTA_BASE_STRING_LIST_H
#define ESP_OTA_BASE_STRING_LIST_H

#include <stddef.h>

/* Starts as {0}. */
struct strings {
    char **items;
    size_t count;
};

/* Takes over string, which was allocated; -1, and the string stays the caller's, when memory ran
 * out. */
int strings_add(struct strings *strings, char *string);
void strings_free(struct strings *strings); /* and each of them; leaves it as it started */

#endif
