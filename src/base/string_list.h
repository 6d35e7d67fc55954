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

/* Appends an allocated string and takes ownership of it. Returns -1 when memory ran out; the string
 * then stays the caller's. */
int strings_add(struct strings *strings, char *string);

/* Frees the strings; the list is empty afterwards. */
void strings_free(struct strings *strings);

#endif
