/*
 * json_memory.h: whether jansson, which report_json.c and resume.c use, ran out of memory.
 */
#ifndef ESP_OTA_BASE_JSON_MEMORY_H
#define ESP_OTA_BASE_JSON_MEMORY_H

#include <stdbool.h>

/* Where memory runs out, jansson leaves out a field or some bytes of a text and goes on, or takes
 * what it reads for an error of syntax. Call watch before what must be whole, and ask afterwards.
 */
void json_memory_watch(void);
bool json_memory_has_run_out(void);

#endif
