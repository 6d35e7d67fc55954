/*
 * exposure.c: permissions of files, and the warning about them.
 */
#include "secrets/exposure.h"

#include "base/acl.h"
#include "base/diag.h"
#include "base/escape.h"

#include <linux/posix_acl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SHOWN = 512 };

enum exposure exposure_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return EXPOSED_TO_NOBODY;
    if (status.st_mode & S_IROTH)
        return EXPOSED_TO_ALL;
    /* This user may be the only reader in a list: systemd passes credentials that way. */
    const bool has_reader =
        (status.st_mode & S_IRGRP) && acl_grant(fd, ACL_READ, geteuid()) != ACL_GRANTS_NOBODY;
    return has_reader ? EXPOSED_TO_GROUP : EXPOSED_TO_NOBODY;
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
