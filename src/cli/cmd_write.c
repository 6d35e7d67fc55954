/*
 * cmd_write.c: see cmd_write.h. Pipes and standard output are written directly, files by
 * file_replace.h.
 */
#include "cli/cmd_write.h"

#include "base/error.h"
#include "base/file_replace.h"
#include "base/input.h"
#include "base/same_file.h"
#include "base/stdio_guard.h"
#include "cli/options.h"
#include "fleet/plan.h"
#include "output/report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_standard_output(const struct stat *status)
{
    struct stat standard;

    return fstat(STDOUT_FILENO, &standard) == 0 && same_file(&standard, status);
}

/* A pipe is written directly, and so is any standard output. */
static bool is_stream(const struct stat *target)
{
    return S_ISFIFO(target->st_mode) || is_standard_output(target);
}

/* The line of --json would become part of an image on standard output. */
static enum ota_error keep_apart(const char *path, const struct stat *target,
                                 struct ota_failure *failure)
{
    if (S_ISREG(target->st_mode))
        return input_protect_output("--output", path, false, failure);
    return ota_fail(failure, OTA_E_USAGE,
                    "--output and --json would both write to standard output; give --output "
                    "another file");
}

/* To put a file in the place of a device would do more harm than good. */
static enum ota_error check_target(const char *path, bool has_json, struct ota_failure *failure)
{
    struct stat target;

    if (stat(path, &target) < 0)
        return errno == ENOENT ? OTA_OK : file_replace_failed(path, errno, NULL, failure);
    if (is_standard_output(&target) && isatty(STDOUT_FILENO))
        return file_replace_failed(path, 0, "it is a terminal", failure);
    if (!S_ISREG(target.st_mode) && !is_stream(&target))
        return file_replace_failed(
            path, 0, S_ISDIR(target.st_mode) ? "it is a directory" : "it is not a regular file",
            failure);
    if (S_ISREG(target.st_mode) && !is_stream(&target) && !file_replace_is_possible(path))
        return file_replace_failed(path, EBUSY, NULL, failure);
    if (has_json && is_standard_output(&target))
        return keep_apart(path, &target, failure);
    if (is_stream(&target))
        return input_protect_from_messages("--output", path, failure);
    return input_protect_output("--output", path, false, failure);
}

/* -- a stream -- */

static enum ota_error write_stream(const struct image *image, const char *path,
                                   const struct stat *target, struct ota_failure *failure)
{
    bool is_standard = is_standard_output(target);
    int descriptor =
        is_standard ? STDOUT_FILENO : open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (descriptor < 0)
        return file_replace_failed(path, errno,
                                   errno == ENXIO ? "nobody reads from this pipe" : NULL, failure);
    signal(SIGPIPE, SIG_IGN);
    int error = stdio_guard_write(descriptor, image->data, image->size, STDIO_GUARD_PATIENCE_MS);
    if (!is_standard)
        close(descriptor);
    return error == 0 ? OTA_OK : file_replace_failed(path, error, NULL, failure);
}

static enum ota_error write_image(const struct image *image, const char *path,
                                  struct ota_failure *failure)
{
    struct stat target;

    if (stat(path, &target) == 0 && is_stream(&target))
        return write_stream(image, path, &target, failure);
    int error = file_replace(path, image->data, image->size);
    return error == 0 ? OTA_OK : file_replace_failed(path, error, NULL, failure);
}

/* The plan of no board has the image, judged and prepared as for an upload. */
int cmd_write_run(const struct options *options, struct report *report)
{
    struct plan plan;
    struct ota_failure failure;
    enum ota_error error = plan_make(&plan, &options->plan, &failure);
    const struct image *image = error == OTA_OK ? plan.images[0].image : NULL;

    if (error == OTA_OK)
        error = check_target(options->output, options->report.json, &failure);
    if (error == OTA_OK)
        error = write_image(image, options->output, &failure);
    if (error == OTA_OK)
        report_written(report, image, options->output);
    if (error == OTA_OK && report && !report_is_complete(report, &failure))
        error = failure.error;
    plan_free(&plan);
    return error == OTA_OK ? 0 : report_failure(report, &failure);
}
