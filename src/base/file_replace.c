/*
 * file_replace.c: the content goes into a file without a name, or where there is one to replace,
 * into a temporary one beside it, and gets its name when it is on the disk.
 */
#include "base/file_replace.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PATH_SHOWN = 512 };

static const char ACL[] = "system.posix_acl_access";

static int write_fully(int descriptor, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(descriptor, data, size);
        if (count < 0 && errno != EINTR)
            return -1;
        if (count > 0) {
            data += count;
            size -= (size_t)count;
        }
    }
    return 0;
}

/* May take rights away, and gives none. The mode is one without an access control list. */
static mode_t narrow(mode_t mode)
{
    const mode_t both = (mode & S_IRWXG) >> 3 & mode & S_IRWXO;

    return (mode & S_IRWXU) | both << 3 | both;
}

/* Copies the access control list of the file at place, or if it has none, removes the one that the
 * folder gives new files: a mode that is set later would put it in force. False if that fails, and
 * for a list that would give its group's rights to another group. */
static bool take_over_acl(int descriptor, const char *place, bool is_same_group)
{
    char *list = malloc(XATTR_SIZE_MAX); /* a small stack has no room for it */
    if (!list)
        return false;

    const ssize_t size = getxattr(place, ACL, list, XATTR_SIZE_MAX);
    const int reason = size < 0 ? errno : 0;
    const bool is_copied =
        size >= 0 && is_same_group && fsetxattr(descriptor, ACL, list, (size_t)size, 0) == 0;

    free(list);
    if (size >= 0 || (reason != ENODATA && reason != EOPNOTSUPP))
        return is_copied;
    return fremovexattr(descriptor, ACL) == 0 || errno == ENODATA || errno == EOPNOTSUPP;
}

/* Gives it the owner, the mode and the access control list of the file to replace. The owner of a
 * file need not be in its group. Then the new file keeps its own group, and both that group and
 * others get only the rights that the old group and others had in common. With a list, the group's
 * bits of the mode are not its rights but the limit of all in the list, so if the list cannot be
 * taken over, only the owner keeps rights. */
static int take_over(int descriptor, const char *place, const struct stat *target)
{
    const bool is_same_group = fchown(descriptor, target->st_uid, target->st_gid) == 0;
    mode_t mode = target->st_mode & 07777;

    if (!is_same_group && (errno != EPERM || target->st_uid != geteuid()))
        return -1;
    if (!take_over_acl(descriptor, place, is_same_group))
        mode &= S_IRWXU;
    else if (!is_same_group)
        mode = narrow(mode);
    return fchmod(descriptor, mode);
}

/* place, target: the file to replace; NULL: none. Returns 0 or errno. */
static int fill_file(int descriptor, const void *data, size_t size, const char *place,
                     const struct stat *target)
{
    int rc = write_fully(descriptor, data, size);

    if (rc == 0 && target)
        rc = take_over(descriptor, place, target);
    if (rc == 0 && data)
        rc = fsync(descriptor);
    return rc == 0 ? 0 : errno;
}

/* Replaces the file at place, an absolute path; without data, only tries all but the last step. The
 * temporary file beside it has a short name of its own, as that of the target may be as long as
 * names can be. Returns 0 or errno. */
static int replace(const char *place, const void *data, size_t size)
{
    static const char name[] = ".esp-ota.XXXXXX";
    const int folder = (int)(strrchr(place, '/') - place);
    char temporary[PATH_MAX + sizeof name];
    struct stat target;

    if (stat(place, &target) < 0)
        return errno;
    if (!S_ISREG(target.st_mode))
        return ENXIO; /* somebody has put it there meanwhile */
    snprintf(temporary, sizeof temporary, "%.*s/%s", folder, place, name);
    int descriptor = mkstemp(temporary);
    if (descriptor < 0) /* the folder is there, but one of /proc takes no new file */
        return errno == ENOENT ? EPERM : errno;
    int error = fill_file(descriptor, data, size, place, &target);
    if (close(descriptor) < 0 && error == 0)
        error = errno;
    if (error == 0 && data && rename(temporary, place) < 0)
        error = errno;
    if (error != 0 || !data)
        unlink(temporary);
    return error;
}

/* Makes a file without a name, which gets its name when it is complete: not even SIGKILL leaves a
 * part of it. Without data it loses the name again. Returns 0, errno, or -1 if the file system
 * lacks such files or somebody has made the target meanwhile. */
static int make_nameless(const char *path, const void *data, size_t size)
{
    char name[64];
    char *copy = strdup(path);
    int descriptor =
        copy ? open(dirname(copy), O_WRONLY | O_TMPFILE | O_CLOEXEC | O_NOCTTY, 0666) : -1;
    int error = errno;

    free(copy);
    if (descriptor < 0)
        return error == EOPNOTSUPP || error == EISDIR ? -1 : error;
    error = fill_file(descriptor, data, size, NULL, NULL);
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    if (error == 0 && linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
        error = -1;
    if (error == 0 && !data)
        unlink(path);
    close(descriptor); /* it is on the disk */
    return error;
}

/* Through symbolic links to the file itself, which is made where there is none, and without data
 * removed again. 0, or errno. */
static int replace_target(const char *path, const void *data, size_t size)
{
    struct stat found;
    bool is_new = stat(path, &found) < 0 && errno == ENOENT;
    int descriptor =
        open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666); /* of a FIFO */

    /* ETXTBSY: the file may be written, but it is a running program, which keeps its old file. */
    if (descriptor < 0 && errno != ETXTBSY)
        return errno;
    if (descriptor >= 0)
        close(descriptor);

    char *place = realpath(path, NULL);
    int error = place ? replace(place, data, size) : errno;
    if ((error != 0 || !data) && is_new)
        unlink(place ? place : path);
    free(place);
    return error;
}

/* Without data, nothing is changed. A signal waits until nothing half done is left. */
int file_replace(const char *path, const void *data, size_t size)
{
    sigset_t all, before;
    struct stat found;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int error = lstat(path, &found) < 0 && errno == ENOENT ? make_nameless(path, data, size) : -1;
    if (error < 0)
        error = replace_target(path, data, size);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}

int file_replace_try(const char *path)
{
    return file_replace(path, NULL, 0);
}

bool file_replace_is_possible(const char *path)
{
    struct statx found;

    return statx(AT_FDCWD, path, 0, 0, &found) < 0 ||
           (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0;
}

const char *file_open_error(const char *path, int reason)
{
    return reason == ENOENT ? input_open_error(path, reason) : error_output_text(reason);
}

enum ota_cause file_open_cause(const char *path, int reason)
{
    const bool is_told =
        reason == ENOENT && strcmp(input_open_error(path, reason), input_error(reason)) != 0;

    return is_told ? OTA_CAUSE_PATH_IS_ODD : error_output_cause(reason);
}

enum ota_error file_replace_failed(const char *path, int reason, const char *why,
                                   struct ota_failure *failure)
{
    char shown[PATH_SHOWN];

    ota_fail(failure, OTA_E_OUTPUT, "cannot write %s: %s", escape_string(shown, sizeof shown, path),
             why               ? why
             : reason == EBUSY ? "it is a mount point, which cannot be replaced"
                               : file_open_error(path, reason));
    failure->cause = reason == 0       ? OTA_CAUSE_NOT_A_FILE
                     : reason == EBUSY ? OTA_CAUSE_MOUNT_POINT
                                       : file_open_cause(path, reason);
    return failure->error;
}
