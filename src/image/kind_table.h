/*
 * kind_table.h: the names that the Arduino cores announce as board=, and the chips of these boards.
 */
#ifndef ESP_OTA_IMAGE_KIND_TABLE_H
#define ESP_OTA_IMAGE_KIND_TABLE_H

#include <stddef.h>

struct kind_row {
    const char *name;  /* in lower case; no two names differ only in case */
    const char *chips; /* "esp32s3"; "esp8266,rp2040" if several cores use the name */
};

/* Sorted by name, in the order of strcmp(). */
extern const struct kind_row kind_rows[];
extern const size_t kind_row_count;

#endif
