/*
 * json_memory.h: tells whether jansson has run out of memory.
 */
#ifndef ESP_OTA_BASE_JSON_MEMORY_H
#define ESP_OTA_BASE_JSON_MEMORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Without memory, jansson silently drops fields or parts of a text, or reports an error of syntax.
 * Call json_memory_watch() before any JSON that must be complete, and json_memory_has_run_out()
 * after it. */
void json_memory_watch(void);
bool json_memory_has_run_out(void);

/* json_loadb(), with a reserve of memory: without memory that one would write beyond its own. */
json_t *json_memory_load(const char *text, size_t length, size_t flags, json_error_t *error);

#endif
