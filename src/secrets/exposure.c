/*
 * exposure.c: permissions of files, and the warning about them.
 */
#include "secrets/exposure.h"

#include "base/diag.h"
#include "base/escape.h"

#include <sys/stat.h>

enum { PATH_SHOWN = 512 };

enum exposure exposure_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return EXPOSED_TO_NOBODY;
    return (status.st_mode & S_IROTH)   ? EXPOSED_TO_ALL
           : (status.st_mode & S_IRGRP) ? EXPOSED_TO_GROUP
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
