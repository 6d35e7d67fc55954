/* acl.c: see acl.h. */
#include "base/acl.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <sys/xattr.h>

enum { ENTRIES_MAX = 64 };

struct list {
    struct posix_acl_xattr_header header;
    struct posix_acl_xattr_entry entries[ENTRIES_MAX];
};

static ssize_t read_list(int fd, struct list *list)
{
    static const char name[] = "system.posix_acl_access";
    const ssize_t size = fgetxattr(fd, name, list, sizeof *list);
    char path[32];

    if (size >= 0 || errno != EBADF)
        return size;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* O_PATH */
    return getxattr(path, name, list, sizeof *list);
}

static enum acl_grant entry_grant(const struct posix_acl_xattr_entry *entry, unsigned permission,
                                  uid_t user)
{
    const unsigned tag = le16toh(entry->e_tag);
    const uid_t id = le32toh(entry->e_id);

    if ((le16toh(entry->e_perm) & permission) == 0)
        return ACL_GRANTS_NOBODY;
    if (tag == ACL_GROUP_OBJ)
        return ACL_GRANTS_GROUP;
    return tag == ACL_GROUP || (tag == ACL_USER && id != user && id != 0) ? ACL_GRANTS_OTHERS
                                                                          : ACL_GRANTS_NOBODY;
}

enum acl_grant acl_grant(int fd, unsigned permission, uid_t user)
{
    struct list list;
    const ssize_t size = read_list(fd, &list);
    enum acl_grant most = ACL_GRANTS_NOBODY;

    if (size < 0)
        return errno == ENODATA || errno == EOPNOTSUPP ? ACL_GRANTS_GROUP : ACL_GRANTS_OTHERS;
    for (size_t i = 0; sizeof list.header + (i + 1) * sizeof *list.entries <= (size_t)size; i++) {
        const enum acl_grant grant = entry_grant(&list.entries[i], permission, user);

        if (grant > most)
            most = grant;
    }
    return most;
}
