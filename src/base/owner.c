/*
 * owner.c: see owner.h and user_namespaces(7). A container may map 65534, too, so that it does not
 * suffice to look for the number in the map.
 */
#include "base/owner.h"

#include "base/acl.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/posix_acl.h>
#include <stdint.h>
#include <unistd.h>

enum {
    DEFAULT_OVERFLOW_ID = 65534, /* the kernel's, where /proc/sys is hidden, as by ProcSubset=pid */
    START_MAX = 64,              /* longer than a line of these files */
};

/* Stores the first bytes of the file; "": it cannot be read. */
static void read_start(char text[START_MAX], const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t count = fd < 0 ? 0 : read(fd, text, START_MAX - 1);

    text[count < 0 ? 0 : count] = '\0';
    if (fd >= 0)
        close(fd);
}

/* The number that stands for all users, or groups, that are not in the map. */
static uintmax_t overflow_id(const char *path)
{
    char text[START_MAX];

    read_start(text, path);
    return *text ? strtoumax(text, NULL, 10) : DEFAULT_OVERFLOW_ID;
}

/* Whether the map leaves nobody out, as outside of user namespaces. Its third number is a count. */
static bool maps_all(const char *path)
{
    char text[START_MAX], *rest;

    read_start(text, path);
    strtoumax(text, &rest, 10);
    strtoumax(rest, &rest, 10);
    return strtoumax(rest, NULL, 10) == UINT32_MAX;
}

bool owner_is_known(uid_t owner)
{
    return owner != overflow_id("/proc/sys/kernel/overflowuid") || maps_all("/proc/self/uid_map");
}

bool owner_is(uid_t owner, uid_t user)
{
    return owner == user && owner_is_known(owner);
}

static bool has_private_group(const struct stat *status)
{
    if (status->st_gid != status->st_uid || !owner_is_known(status->st_uid))
        return false;
    return status->st_gid != overflow_id("/proc/sys/kernel/overflowgid") ||
           maps_all("/proc/self/gid_map");
}

enum writers owner_writers(int fd, const struct stat *status, uid_t user)
{
    if ((status->st_mode & S_IWOTH) != 0)
        return WRITERS_ALL;
    if ((status->st_mode & S_IWGRP) == 0)
        return WRITERS_NONE;

    const enum acl_grant grant = acl_grant(fd, ACL_WRITE, user);
    if (grant == ACL_GRANTS_OTHERS)
        return WRITERS_LISTED;
    return grant == ACL_GRANTS_GROUP && !has_private_group(status) ? WRITERS_GROUP : WRITERS_NONE;
}
