/*
 * exposure.c: permissions of files, and the warning about them.
 */
#include "secrets/exposure.h"

#include "base/diag.h"
#include "base/escape.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PATH_SHOWN = 512, ENTRIES_MAX = 64 };

/* Whether the entry lets a group read, or another user. (The mode tells about all others.) */
static bool has_other_reader(const struct posix_acl_xattr_entry *entry)
{
    const unsigned tag = le16toh(entry->e_tag);

    return (le16toh(entry->e_perm) & ACL_READ) != 0 &&
           (tag == ACL_GROUP_OBJ || tag == ACL_GROUP ||
            (tag == ACL_USER && le32toh(entry->e_id) != geteuid()));
}

/* For a file whose mode lets the group read it. With an access control list, these bits are the
 * list's mask, and this user may be the only reader: systemd passes credentials that way. */
static bool has_group_reader(int fd)
{
    struct {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[ENTRIES_MAX];
    } list;
    const ssize_t size = fgetxattr(fd, "system.posix_acl_access", &list, sizeof list);

    if (size < (ssize_t)sizeof list.header)
        return true; /* no list, or a longer one */

    const size_t count = ((size_t)size - sizeof list.header) / sizeof *list.entries;
    for (size_t i = 0; i < count; i++)
        if (has_other_reader(&list.entries[i]))
            return true;
    return false;
}

enum exposure exposure_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return EXPOSED_TO_NOBODY;
    if (status.st_mode & S_IROTH)
        return EXPOSED_TO_ALL;
    return (status.st_mode & S_IRGRP) && has_group_reader(fd) ? EXPOSED_TO_GROUP
                                                              : EXPOSED_TO_NOBODY;
}

void exposure_warn(enum exposure exposure, const char *path, const char *what)
{
    char shown[PATH_SHOWN];
    if (exposure == EXPOSED_TO_NOBODY)
        return;
    diag_warning("every %s can read %s; chmod 600 keeps the %s private",
                 exposure == EXPOSED_TO_ALL ? "user of this computer" : "member of its group",
                 escape_string(shown, sizeof shown, path), what);
}
