/*
 * origin.h: whether another user can have chosen which file a path leads to. The owner of a file
 * says whose words it has only if not: a symbolic link of another user may lead to any file of
 * root, and some of those have the bytes of that user, as the environment of a process in /proc.
 */
#ifndef ESP_OTA_BASE_ORIGIN_H
#define ESP_OTA_BASE_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { ORIGIN_TEXT_MAX = 320 };

struct origin {
    const char *path;
    size_t given; /* its first bytes name the folder in which it begins, as HOME; 0: "." or "/" */
    uid_t owner;  /* may decide, besides root */
    bool may_be_in_any_folder; /* only the links count, not the folders */
};

/* Follows the path from the given folder, through all links. Returns whether it leads to the file
 * with this status, and neither a link on the way nor a folder, from the given one on, belongs to a
 * third user or can be written by one. (A folder such as /tmp may be written, as its entries stay
 * their owners'.) Otherwise, why is the reason, and errno 0, or that of a call that failed. */
bool origin_is_clear(const struct origin *origin, const struct stat *file,
                     char why[ORIGIN_TEXT_MAX]);

#endif
