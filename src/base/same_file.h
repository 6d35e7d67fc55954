/*
 * same_file.h: whether two paths or file descriptors lead to one file.
 */
#ifndef ESP_OTA_BASE_SAME_FILE_H
#define ESP_OTA_BASE_SAME_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/* Whether both are the status of one file, by whatever name it was asked for. */
bool same_file(const struct stat *a, const struct stat *b);

#endif
