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
#include "sign.h"

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

/* Whether a signature holds is known with its key only. */
static const char *describe_trailer(enum inspect_trailer trailer)
{
    switch (trailer) {
    case INSPECT_PADDING:
        return "padding";
    case INSPECT_SIGNATURE_ESP8266:
        return "a signature as ESP8266 and Pico W boards check it (--verify-key)";
    case INSPECT_SIGNATURE_ESP32:
        return "a signature as ESP32 boards check it (--verify-key)";
    case INSPECT_SIGNATURE_SECURE_BOOT:
        return "a signature of ESP-IDF's secure boot";
    case INSPECT_NO_TRAILER:
    case INSPECT_STRAY_BYTES:
        break;
    }
    return "nothing that is known";
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

static void print(const struct image *image, const char *path, const struct inspection *inspection,
                  const struct signature *signature)
{
    printf("%s: %s, %zu bytes\n", path, inspection->name, image->size);
    print_field("over air", inspection->verdict);
    print_field("whole", inspection->evidence);
    print_field("signature", signature ? signature->sentence : "");
    print_field("chip", inspection->chip_name);
    if (inspection->has_application)
        print_application(&inspection->application);
    print_segments(inspection);
    print_flash(inspection);
    if (inspection->unpacked_size)
        printf("  %-10s %zu bytes\n", "unpacked", inspection->unpacked_size);
    if (inspection->trailer_size)
        printf("  %-10s %zu bytes behind the image: %s\n", "trailer", inspection->trailer_size,
               describe_trailer(inspection->trailer));
    print_field("MD5", image->md5);
    print_field("SHA-256", image->sha256);
}

static enum ota_error judge(const char *path, const struct inspection *inspection,
                            const struct signature *signature, struct ota_failure *failure)
{
    if (inspection->sending == INSPECT_IMPOSSIBLE)
        return fail(failure, OTA_E_IMAGE, "%s cannot be sent over the air", path);
    if (signature && signature->verdict != SIGN_VALID)
        return fail(failure, OTA_E_SIGNATURE, "%s is not to be trusted: %s", path,
                    signature->sentence);
    return OTA_OK;
}

/* Verifies nothing where key is NULL. */
static enum ota_error inspect(const struct image *image, const struct options *options,
                              const struct sign_key *key, int64_t start_us,
                              struct ota_failure *failure)
{
    char path[PATH_SHOWN];
    const struct inspection *inspection = &image->inspection;
    struct signature verified = {.verdict = SIGN_ABSENT};
    const struct signature *signature = key ? &verified : NULL;
    escape_string(path, sizeof path, image->path);
    const struct sign_file file = {path, image->data, image->size, inspection};
    if (key && sign_verify(&verified, key, &file, failure) != OTA_OK)
        return failure->error;
    errno = 0;
    if (options->json)
        report_json_check(stdout, image, inspection, signature, loop_now_us() - start_us);
    else
        print(image, path, inspection, signature);
    if (fflush(stdout) != 0 || ferror(stdout))
        return fail(failure, OTA_E_OUTPUT, "cannot write to standard output: %s", strerror(errno));
    return judge(path, inspection, signature, failure);
}

int check_run(const struct options *options, struct report *report)
{
    struct image *image = NULL;
    struct sign_key *key = NULL;
    struct ota_failure failure;
    int64_t start_us = loop_now_us();
    enum ota_error error = OTA_OK;
    if (options->verify_key)
        error = sign_key_load_public(&key, options->verify_key, &failure);
    if (error == OTA_OK)
        error = image_load(&image, options->file, true, options->size_limit, &failure);
    if (error == OTA_OK)
        error = image_add_sha256(image, &failure);
    if (error == OTA_OK)
        error = inspect(image, options, key, start_us, &failure);
    int status = error == OTA_OK ? 0 : report_failure(report, &failure);
    image_free(image);
    sign_key_free(key);
    return status;
}
