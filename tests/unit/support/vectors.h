/*
 * vectors.h: tables of test vectors that lie beside the source tree, in the directory that
 * ESP_OTA_SHARED names. Tests use them when they are there and pass without them.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <stddef.h>

/* One row of a tab-separated table: count fields, "" for those that are missing. */
typedef void vectors_row_fn(char **fields);

/* Calls check for each row of the table, skipping comments; returns how many there were. A table
 * that is not there is said on standard output, and counts as 0 rows. */
size_t vectors_each(const char *name, size_t count, vectors_row_fn *check);

/* The path of a file in ESP_OTA_SHARED, or NULL when it cannot be read. Valid until the next call.
 */
const char *vectors_path(const char *name);

#endif
