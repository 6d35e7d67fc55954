/*
 * owner.h: whether files belong to the same user, or to that of the process, as far as this can be
 * known. A user namespace (of a container, or of PrivateUsers= in a systemd unit) shows the files
 * of all users whom it does not know under one number, 65534, and so with their groups.
 */
#ifndef ESP_OTA_BASE_OWNER_H
#define ESP_OTA_BASE_OWNER_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Whether the number stands for one user. 65534 does outside of user namespaces. */
bool owner_is_known(uid_t owner);

/* Whether both numbers stand for the same user. */
bool owner_is(uid_t owner, uid_t user);

/* Who can write a file besides its owner, a given user and root. */
enum writers {
    WRITERS_NONE,
    WRITERS_GROUP,  /* the file's group; not its owner's private one, which has the same number, and
                     * to which files made with a umask of 002 usually belong */
    WRITERS_LISTED, /* another group or user in its access control list */
    WRITERS_ALL,
};

/* Judges an open file or folder with this status; O_PATH suffices. */
enum writers owner_writers(int fd, const struct stat *status, uid_t user);

#endif
