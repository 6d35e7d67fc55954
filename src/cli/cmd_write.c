/*
 * cmd_write.c: see cmd_write.h. The content goes into a file without a name, or where there is one to
 * replace, into a temporary one beside it, and gets its name when it is on the disk; signals are
 * blocked meanwhile. Pipes and standard output are written directly.
 */
#include "cli/cmd_write.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/stdio_guard.h"
#include "fleet/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SHOWN = 512, PATIENCE_MS = 60000 };

/* why: NULL: as the errno says. */
static enum ota_error cannot_write(const char *path, int reason, const char *why,
                                   struct ota_failure *failure)
{
    char shown[PATH_SHOWN];

    ota_fail(failure, OTA_E_OUTPUT, "cannot write %s: %s", escape_string(shown, sizeof shown, path),
             why                ? why
             : reason == ENOENT ? input_open_error(path, reason)
                                : error_output_text(reason));
    failure->cause = why ? OTA_CAUSE_NOT_A_FILE : error_output_cause(reason);
    return failure->error;
}

/* "-" is the file that is redirected to standard input, if one is. */
static bool is_file(const char *path, const struct stat *status)
{
    struct stat found;
    int result = input_is_standard(path) ? fstat(STDIN_FILENO, &found) : stat(path, &found);

    return result == 0 && found.st_dev == status->st_dev && found.st_ino == status->st_ino;
}

static bool is_standard_output(const struct stat *status)
{
    struct stat standard;

    return fstat(STDOUT_FILENO, &standard) == 0 && standard.st_dev == status->st_dev &&
           standard.st_ino == status->st_ino;
}

/* A pipe is written directly, and so is any standard output. */
static bool is_stream(const struct stat *target)
{
    return S_ISFIFO(target->st_mode) || is_standard_output(target);
}

/* To put a file in the place of a device would do more harm than good. */
static enum ota_error check_target(const char *path, const struct plan_settings *settings,
                                   const struct image *image, struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    struct stat target;

    if (stat(path, &target) < 0)
        return errno == ENOENT ? OTA_OK : cannot_write(path, errno, NULL, failure);
    if (is_standard_output(&target) && isatty(STDOUT_FILENO))
        return cannot_write(path, 0, "it is a terminal", failure);
    if (!S_ISREG(target.st_mode) && !is_stream(&target))
        return cannot_write(
            path, 0, S_ISDIR(target.st_mode) ? "it is a directory" : "it is not a regular file",
            failure);
    if (is_file(image->path, &target) || is_file(settings->file, &target) ||
        (settings->sign && is_file(settings->sign, &target)))
        return ota_fail(failure, OTA_E_USAGE,
                        "--output names the input file, %s; give it another name",
                        escape_string(shown, sizeof shown, path));
    return OTA_OK;
}

/* -- a stream -- */

/* A pipe that takes a byte takes PIPE_BUF of them; a longer write could wait for its reader. */
static int write_patiently(int descriptor, const unsigned char *data, size_t size)
{
    while (size > 0) {
        errno = ETIMEDOUT;
        if (!stdio_guard_takes(descriptor, PATIENCE_MS))
            return -1;
        ssize_t count = write(descriptor, data, size < PIPE_BUF ? size : PIPE_BUF);
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        data += count > 0 ? count : 0;
        size -= (size_t)(count > 0 ? count : 0);
    }
    return 0;
}

static enum ota_error write_stream(const struct image *image, const char *path,
                                   const struct stat *target, struct ota_failure *failure)
{
    bool is_standard = is_standard_output(target);
    int descriptor =
        is_standard ? STDOUT_FILENO : open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (descriptor < 0)
        return cannot_write(path, errno, errno == ENXIO ? "nobody reads from this pipe" : NULL,
                            failure);
    signal(SIGPIPE, SIG_IGN);
    int error = write_patiently(descriptor, image->data, image->size) == 0 ? 0 : errno;
    if (!is_standard)
        close(descriptor);
    return error == 0 ? OTA_OK : cannot_write(path, error, NULL, failure);
}

/* -- a file -- */

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

/* May take rights away, and gives none. */
static mode_t narrow(mode_t mode)
{
    const mode_t both = (mode & S_IRWXG) >> 3 & mode & S_IRWXO;

    return (mode & S_IRWXU) | both << 3 | both;
}

/* Gives it the owner and the mode of the file to replace. The owner of a file need not be in its
 * group. Then the new file keeps its own group, and both that group and others get only the rights
 * that the old group and others had in common. */
static int take_over(int descriptor, const struct stat *target)
{
    mode_t mode = target->st_mode & 07777;

    if (fchown(descriptor, target->st_uid, target->st_gid) < 0) {
        if (errno != EPERM || target->st_uid != geteuid())
            return -1;
        mode = narrow(mode);
    }
    return fchmod(descriptor, mode);
}

/* target: the file to replace; NULL: none. Returns 0 or errno. */
static int fill_file(int descriptor, const struct image *image, const struct stat *target)
{
    int rc = write_fully(descriptor, image->data, image->size);

    if (rc == 0 && target)
        rc = take_over(descriptor, target);
    if (rc == 0)
        rc = fsync(descriptor);
    return rc == 0 ? 0 : errno;
}

/* place: the path of an existing file; temporary ends in XXXXXX. Returns 0 or errno. */
static int replace(const char *place, char *temporary, const struct image *image)
{
    struct stat target;

    if (stat(place, &target) < 0)
        return errno;
    int descriptor = mkstemp(temporary);
    if (descriptor < 0)
        return errno;
    int error = fill_file(descriptor, image, &target);
    if (close(descriptor) < 0 && error == 0)
        error = errno;
    if (error == 0 && rename(temporary, place) < 0)
        error = errno;
    if (error != 0)
        unlink(temporary);
    return error;
}

/* Makes a file without a name, which gets its name when it is complete: not even SIGKILL leaves a
 * part of it. Returns 0, errno, or -1 if the file system lacks such files or somebody has made the
 * target meanwhile. */
static int make_nameless(const char *path, const struct image *image)
{
    char name[64];
    char *copy = strdup(path);
    int descriptor =
        copy ? open(dirname(copy), O_WRONLY | O_TMPFILE | O_CLOEXEC | O_NOCTTY, 0666) : -1;
    int error = errno;

    free(copy);
    if (descriptor < 0)
        return error == EOPNOTSUPP || error == EISDIR ? -1 : error;
    error = fill_file(descriptor, image, NULL);
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    if (error == 0 && linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
        error = -1;
    close(descriptor); /* it is on the disk */
    return error;
}

/* Through symbolic links to the file itself, which is made where there is none. 0, or errno. */
static int replace_target(const char *path, const struct image *image)
{
    static const char suffix[] = ".XXXXXX";
    int error = ENOMEM;
    struct stat found;
    bool is_new = stat(path, &found) < 0 && errno == ENOENT;
    int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);

    if (descriptor < 0)
        return errno;
    close(descriptor);

    char *place = realpath(path, NULL);
    char *temporary = place ? malloc(strlen(place) + sizeof suffix) : NULL;
    if (temporary) {
        snprintf(temporary, strlen(place) + sizeof suffix, "%s%s", place, suffix);
        error = replace(place, temporary, image);
    }
    if (error != 0 && is_new)
        unlink(place ? place : path);
    free(temporary);
    free(place);
    return error;
}

/* A signal waits until nothing half done is left. */
static enum ota_error write_file(const struct image *image, const char *path,
                                 struct ota_failure *failure)
{
    sigset_t all, before;
    struct stat found;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int error = lstat(path, &found) < 0 && errno == ENOENT ? make_nameless(path, image) : -1;
    if (error < 0)
        error = replace_target(path, image);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? OTA_OK : cannot_write(path, error, NULL, failure);
}

static enum ota_error write_image(const struct image *image, const char *path,
                                  struct ota_failure *failure)
{
    struct stat target;

    return stat(path, &target) == 0 && is_stream(&target)
               ? write_stream(image, path, &target, failure)
               : write_file(image, path, failure);
}

/* The line of --json would become part of an image on standard output. */
static enum ota_error keep_apart(const char *path, struct ota_failure *failure)
{
    struct stat target;

    if (stat(path, &target) < 0 || !is_standard_output(&target))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE,
                    "--output and --json would both write to standard output; give --output "
                    "another file");
}

/* The plan of no board has the image, judged and prepared as for an upload. */
int cmd_write_run(const struct options *options, struct report *report)
{
    struct plan plan;
    struct ota_failure failure;
    enum ota_error error = plan_make(&plan, &options->plan, &failure);
    const struct image *image = error == OTA_OK ? plan.images[0].image : NULL;

    if (error == OTA_OK)
        error = check_target(options->output, &options->plan, image, &failure);
    if (error == OTA_OK && options->report.json)
        error = keep_apart(options->output, &failure);
    if (error == OTA_OK)
        error = write_image(image, options->output, &failure);
    if (error == OTA_OK)
        report_written(report, image, options->output);
    if (error == OTA_OK && report && !report_is_complete(report, &failure))
        error = failure.error;
    plan_free(&plan);
    return error == OTA_OK ? 0 : report_failure(report, &failure);
}
