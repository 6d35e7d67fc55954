/*
 * acl.h: what POSIX access control lists add to the modes of files, see acl(5).
 */
#ifndef ESP_OTA_BASE_ACL_H
#define ESP_OTA_BASE_ACL_H

#include <sys/types.h>

/* Whom a file gives a permission besides its owner, the given user and root. */
enum acl_grant {
    ACL_GRANTS_NOBODY,
    ACL_GRANTS_GROUP,  /* only the file's own group; also without a list */
    ACL_GRANTS_OTHERS, /* another group or user; or the list cannot be read */
};

/* For an open file, O_PATH suffices, whose mode gives its group the permission (ACL_READ or
 * ACL_WRITE, linux/posix_acl.h): with a list, these bits are the most that it gives to anybody. */
enum acl_grant acl_grant(int fd, unsigned permission, uid_t user);

#endif
