/*
 * config_find.h: the configuration files: where they are, and which of them are read.
 */
#ifndef ESP_OTA_CONFIG_CONFIG_FIND_H
#define ESP_OTA_CONFIG_CONFIG_FIND_H

#include "base/string_list.h"
#include "esp-ota/error.h"

#include <stdbool.h>
#include <sys/stat.h>

enum { CONFIG_FILES_MAX = 3 };

struct config_file {
    char *path;      /* as it was opened */
    char *folder;    /* in which its relative paths begin; absolute, if the path is */
    char *shown;     /* the path, escaped for messages */
    size_t given;    /* the first bytes of the path, as struct origin has them */
    bool is_project; /* found beside a project: perhaps by somebody else */
};

/* Finds the files that exist and are not /dev/null, the one that takes precedence first: .esp-ota
 * in this folder or the next one above it, up to the home directory or the top of a Git repository;
 * esp-ota/config in $XDG_CONFIG_HOME or ~/.config; /etc/esp-ota.conf. Adds a note for a project
 * file that is not to be trusted, and leaves it out. Returns how many there are, or -1 when memory
 * ran out; the caller frees them with config_file_free() in any case. */
int config_find(struct config_file files[CONFIG_FILES_MAX], struct strings *notes);

/* Fills in a file that the user has named. -1: out of memory. */
int config_file_set(struct config_file *file, const char *path);

/* Reads the whole file. One that the user has not named must be trustworthy: see config_distrust().
 * *text is the caller's. Fails with OTA_E_USAGE, or OTA_E_INTERNAL when memory ran out. */
enum ota_error config_file_read(const struct config_file *file, bool is_named, char **text,
                                size_t *length, struct ota_failure *failure);

/* Why an open file that others may have made is not read; NULL: it belongs to this user (or to
 * root, if may_be_roots), and nobody else can write it (owner_writers()). O_PATH suffices. */
const char *config_distrust(int fd, const struct stat *status, bool may_be_roots);

void config_file_free(struct config_file *file);

/* Returns the path that the value of a setting means, to be freed: ~/ is the home directory, and a
 * relative path begins at the file's folder. NULL and failure: OTA_E_USAGE if it leads out of the
 * folder of a project file, or OTA_E_INTERNAL; the message of OTA_E_USAGE is the end of a sentence
 * that the value begins. */
char *config_file_resolve(const struct config_file *file, const char *value,
                          struct ota_failure *failure);

#endif
