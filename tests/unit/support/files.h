/*
 * files.h: writes and reads small files for the unit tests. A call that fails ends the test.
 */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>

/* Makes a file with these contents, or replaces those of an existing one. Only its owner may read a
 * new file. */
void files_write(const char *path, const void *data, size_t size);
void files_write_text(const char *path, const char *text);

/* Reads up to capacity - 1 bytes and terminates them. */
void files_read_text(const char *path, char *text, size_t capacity);

#endif
