/*
 * file_replace.h: writes a file whole or not at all: whoever reads it sees what was there before or
 * all that is new.
 */
#ifndef ESP_OTA_BASE_FILE_REPLACE_H
#define ESP_OTA_BASE_FILE_REPLACE_H

#include "esp-ota/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Makes the file, or replaces it and keeps its owner, mode and access control list; what
 * cannot be kept gives nobody more rights. Follows symbolic links. Returns 0 when it is on the
 * disk, else errno; ENXIO: what is at path is no file. Signals are blocked meanwhile. */
int file_replace(const char *path, const void *data, size_t size);

/* Does what file_replace() does, but changes no file and leaves none behind. Returns 0 if
 * file_replace() can make or replace the file, else errno. */
int file_replace_try(const char *path);

/* False if path is a mount point (docker -v FILE:FILE), for which file_replace() fails with EBUSY.
 * Kernels before 5.8 cannot tell; then it is true. */
bool file_replace_is_possible(const char *path);

/* Fails with OTA_E_OUTPUT and its cause: path could not be written. reason is the errno; 0: path is
 * no file. The message has why, or if that is NULL, the text of the errno. */
enum ota_error file_replace_failed(const char *path, int reason, const char *why,
                                   struct ota_failure *failure);

/* Why path cannot be opened to be written, by the errno. Says so if path has a ~ or $ that no shell
 * has expanded, as input_open_error() does; its other words are for inputs. */
const char *file_open_error(const char *path, int reason);
/* The cause of the failure: OTA_CAUSE_PATH_IS_ODD if the text says what to write instead. */
enum ota_cause file_open_cause(const char *path, int reason);

#endif
