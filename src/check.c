/*
 * check.c: a file and its inspection as text for people; as JSON it is report_json.c's business.
 * Asks no board.
 */
#include "check.h"

#include "error.h"
#include "escape.h"
#include "image.h"
#include "inspect.h"
#include "loop.h"
#include "report_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SHOWN = 1024 };

static void print_field(const char *name, const char *text)
{
    if (*text)
        printf("  %-10s %s\n", name, text);
}

static void print_application(const struct inspect_application *application)
{
    print_field("project", application->project);
    print_field("version", application->version);
    if (*application->date)
        printf("  %-10s %s %s\n", "built", application->date, application->time);
    print_field("ESP-IDF", application->idf);
}

static void print_segments(const struct inspection *inspection)
{
    if (inspection->has_entry)
        printf("  %-10s 0x%08" PRIx32 "\n", "entry", inspection->entry);
    for (size_t i = 0; i < inspection->segment_count; i++)
        printf("  %-10s 0x%08" PRIx32 ", %" PRIu32 " bytes\n", i == 0 ? "segments" : "",
               inspection->segments[i].address, inspection->segments[i].size);
}

static void print_flash(const struct inspection *inspection)
{
    if (inspection->flash_size)
        printf("  %-10s %" PRIu32 " KiB%s%s\n", "flash", inspection->flash_size / 1024,
               inspection->flash_mode ? ", " : "",
               inspection->flash_mode ? inspection->flash_mode : "");
    if (inspection->ota_room)
        printf("  %-10s %" PRIu32 " bytes beside a running sketch of this size\n", "room",
               inspection->ota_room);
}

static void print(const struct image *image, const struct inspection *inspection)
{
    char path[PATH_SHOWN];
    printf("%s: %s, %zu bytes\n", escape_string(path, sizeof path, image->path), inspection->name,
           image->size);
    print_field("over air", inspection->verdict);
    print_field("whole", inspection->evidence);
    print_field("chip", inspection->chip_name);
    if (inspection->has_application)
        print_application(&inspection->application);
    print_segments(inspection);
    print_flash(inspection);
    if (inspection->unpacked_size)
        printf("  %-10s %zu bytes\n", "unpacked", inspection->unpacked_size);
    if (inspection->trailer_size)
        printf("  %-10s %zu bytes behind the image\n", "trailer", inspection->trailer_size);
    print_field("MD5", image->md5);
    print_field("SHA-256", image->sha256);
}

static enum ota_error inspect(const struct image *image, const struct options *options,
                              int64_t start_us, struct ota_failure *failure)
{
    char path[PATH_SHOWN];
    struct inspection inspection;
    inspect_image(&inspection, image->data, image->size);
    errno = 0;
    if (options->json)
        report_json_check(stdout, image, &inspection, loop_now_us() - start_us);
    else
        print(image, &inspection);
    if (fflush(stdout) != 0 || ferror(stdout))
        return fail(failure, OTA_E_OUTPUT, "cannot write to standard output: %s", strerror(errno));
    if (inspection.sending != INSPECT_IMPOSSIBLE)
        return OTA_OK;
    return fail(failure, OTA_E_IMAGE, "%s cannot be sent over the air",
                escape_string(path, sizeof path, image->path));
}

int check_run(const struct options *options, struct report *report)
{
    struct image *image;
    struct ota_failure failure;
    int64_t start_us = loop_now_us();
    enum ota_error error = image_load(&image, options->file, options->size_limit, &failure);
    if (error == OTA_OK)
        error = image_add_sha256(image, &failure);
    if (error == OTA_OK)
        error = inspect(image, options, start_us, &failure);
    int status = error == OTA_OK ? 0 : report_failure(report, &failure);
    image_free(image);
    return status;
}
