/*
 * vectors.h: tables of test vectors (tests/vectors, named by ESP_OTA_VECTORS), and images of real
 * builds in the folder ESP_OTA_IMAGES. The repository has no such images; tests pass without them.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <stddef.h>

/* One row of a tab-separated table: count fields, "" for missing ones. */
typedef void vectors_row_fn(char **fields);

/* Calls check for each row of the table, but not for comments, and returns the number of rows. The
 * test fails if there is no such table. */
size_t vectors_each(const char *name, size_t count, vectors_row_fn *check);

/* The path of an image in ESP_OTA_IMAGES, or NULL if there is none. Valid until the next call. */
const char *vectors_image_path(const char *name);

#endif
