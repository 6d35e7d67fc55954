/*
 * output.c: see output.h. The content goes into a temporary file beside the one that is meant,
 * whose name it gets when it is on the disk.
 */
#include "output.h"

#include "bar.h"
#include "error.h"
#include "escape.h"
#include "log.h"
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SHOWN = 512 };

static enum ota_error cannot_write(const char *path, const char *why, struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    return fail(failure, OTA_E_OUTPUT, "cannot write %s: %s",
                escape_string(shown, sizeof shown, path), why);
}

static bool is_file(const char *path, const struct stat *status)
{
    struct stat found;
    return stat(path, &found) == 0 && found.st_dev == status->st_dev &&
           found.st_ino == status->st_ino;
}

/* To put a file in the place of a device would do more harm than good. */
static enum ota_error check_target(const char *path, const struct options *options,
                                   const struct image *image, struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    struct stat target;
    if (stat(path, &target) < 0)
        return errno == ENOENT ? OTA_OK : cannot_write(path, strerror(errno), failure);
    if (!S_ISREG(target.st_mode))
        return cannot_write(
            path, S_ISDIR(target.st_mode) ? "it is a directory" : "it is no regular file", failure);
    if (is_file(image->path, &target) || is_file(options->file, &target) ||
        (options->sign && is_file(options->sign, &target)))
        return fail(failure, OTA_E_USAGE,
                    "--output names the file that is read, %s; give it another name",
                    escape_string(shown, sizeof shown, path));
    return OTA_OK;
}

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

/* What a file gets that is simply created. */
static mode_t new_file_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* 0, or errno. */
static int fill(int descriptor, const struct image *image)
{
    int rc = write_fully(descriptor, image->data, image->size);
    if (rc == 0)
        rc = fchmod(descriptor, new_file_mode());
    if (rc == 0)
        rc = fsync(descriptor);
    int error = rc < 0 ? errno : 0;
    if (close(descriptor) < 0 && error == 0)
        error = errno;
    return error;
}

/* temporary ends in XXXXXX. 0, or errno. */
static int replace(const char *path, char *temporary, const struct image *image)
{
    int descriptor = mkstemp(temporary);
    if (descriptor < 0)
        return errno;
    int error = fill(descriptor, image);
    if (error == 0 && rename(temporary, path) < 0)
        error = errno;
    if (error != 0)
        unlink(temporary);
    return error;
}

/* Through symbolic links to the file itself; one that does not exist yet is what it is called. */
static char *find_place(const char *path)
{
    char *place = realpath(path, NULL);
    return place || errno != ENOENT ? place : strdup(path);
}

static enum ota_error write_image(const struct image *image, const char *path,
                                  struct ota_failure *failure)
{
    static const char suffix[] = ".XXXXXX";
    int error = ENOMEM;
    char *place = find_place(path);
    char *temporary = place ? malloc(strlen(place) + sizeof suffix) : NULL;
    if (!place)
        error = errno;
    if (temporary) {
        snprintf(temporary, strlen(place) + sizeof suffix, "%s%s", place, suffix);
        error = replace(place, temporary, image);
    }
    free(temporary);
    free(place);
    return error == 0 ? OTA_OK : cannot_write(path, strerror(error), failure);
}

static void tell(const struct image *image, const char *path)
{
    char shown[PATH_SHOWN], size[BAR_TEXT_MAX], file_size[BAR_TEXT_MAX];
    escape_string(shown, sizeof shown, path);
    log_info("%s: %s written, from %s; nothing was uploaded", shown, bar_size(size, image->size),
             bar_size(file_size, image->file_size));
}

/* The plan of no board has the image, judged and prepared as for an upload. */
int output_run(const struct options *options, struct report *report)
{
    struct plan plan;
    struct ota_failure failure;
    enum ota_error error = plan_make(&plan, options, &failure);
    const struct image *image = error == OTA_OK ? plan.images[0].image : NULL;
    if (error == OTA_OK)
        error = check_target(options->output, options, image, &failure);
    if (error == OTA_OK)
        error = write_image(image, options->output, &failure);
    if (error == OTA_OK)
        tell(image, options->output);
    plan_free(&plan);
    return error == OTA_OK ? 0 : report_failure(report, &failure);
}
