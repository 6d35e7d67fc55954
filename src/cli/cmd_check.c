/*
 * cmd_check.c: a file and its inspection as text for people; as JSON it is report_json.c's
 * business. Asks no board.
 */
#include "cli/cmd_check.h"

#include "base/error.h"
#include "base/input.h"
#include "base/loop.h"
#include "base/stdio_guard.h"
#include "base/stdout_text.h"
#include "base/units.h"
#include "cli/options.h"
#include "fleet/plan.h"
#include "image/image.h"
#include "image/image_fit.h"
#include "image/image_prepare.h"
#include "image/inspect.h"
#include "image/kind.h"
#include "image/sign.h"
#include "output/report.h"
#include "output/report_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SHOWN = 1024 };

static void print_field(FILE *stream, const char *name, const char *text)
{
    if (*text)
        fprintf(stream, "  %-10s %s\n", name, text);
}

static void print_application(FILE *stream, const struct inspect_application *application)
{
    print_field(stream, "project", application->project);
    print_field(stream, "version", application->version);
    if (*application->date)
        fprintf(stream, "  %-10s %s %s\n", "built", application->date, application->time);
    print_field(stream, "ESP-IDF", application->idf);
}

static void print_esphome(FILE *stream, const struct inspect_esphome *esphome)
{
    if (!*esphome->version)
        return;
    fprintf(stream, "  %-10s %s%s%s%s%s\n", "ESPHome", esphome->version,
            *esphome->project ? ", project " : "", esphome->project, *esphome->project ? " " : "",
            esphome->project_version);
}

static void print_segments(FILE *stream, const struct inspection *inspection)
{
    if (inspection->has_entry)
        fprintf(stream, "  %-10s 0x%08" PRIx32 "\n", "entry", inspection->entry);
    for (size_t i = 0; i < inspection->segment_count; i++)
        fprintf(stream, "  %-10s 0x%08" PRIx32 ", %" PRIu32 " bytes\n", i == 0 ? "segments" : "",
                inspection->segments[i].address, inspection->segments[i].size);
}

/* Whether a signature holds is known with its key only. */
static const char *describe_trailer(enum inspect_trailer trailer)
{
    switch (trailer) {
    case INSPECT_PADDING:
        return "padding";
    case INSPECT_SIGNATURE_ESP8266:
        return "a signature for ESP8266 and Pico W boards (--verify-key verifies it)";
    case INSPECT_SIGNATURE_ESP32:
        return "a signature for ESP32 boards (--verify-key verifies it)";
    case INSPECT_SIGNATURE_SECURE_BOOT:
        return "a signature of ESP-IDF's secure boot";
    case INSPECT_NO_TRAILER:
    case INSPECT_STRAY_BYTES:
        break;
    }
    return "unknown";
}

static void print_flash(FILE *stream, const struct inspection *inspection)
{
    bool is_in_mib = inspection->flash_size % MIB == 0;

    if (inspection->flash_size)
        fprintf(stream, "  %-10s %" PRIu32 " %s%s%s\n", "flash",
                inspection->flash_size / (is_in_mib ? MIB : KIB), is_in_mib ? "MiB" : "KiB",
                inspection->flash_mode ? ", " : "",
                inspection->flash_mode ? inspection->flash_mode : "");
    if (inspection->ota_room)
        fprintf(stream, "  %-10s %" PRIu32 " bytes beside a running sketch of this size\n", "free",
                inspection->ota_room);
}

/* What an upload with the same options would do with the file. */
struct judgement {
    enum inspect_sending sending;
    char verdict[OTA_MESSAGE_MAX + IMAGE_FIT_REASON_MAX];
    struct ota_failure failure; /* of what would stop it; OTA_OK: nothing */
    char file_md5[DIGEST_MD5_HEX + 1];
};

static void print_check(FILE *stream, const struct image *image, const char *path,
                        const struct judgement *judgement, const struct signature *signature)
{
    const struct inspection *inspection = &image->inspection;

    fprintf(stream, "%s: %s, %zu bytes\n", path, inspection->name, image->file_size);
    print_field(stream, "OTA", judgement->verdict);
    if (!inspection->remedy && !strstr(judgement->verdict, inspection->evidence))
        print_field(stream, "integrity", inspection->evidence);
    print_field(stream, "signature", signature ? signature->sentence : "");
    print_field(stream, "chip", inspection->chip_name);
    if (inspection->has_application)
        print_application(stream, &inspection->application);
    print_esphome(stream, &inspection->esphome);
    print_segments(stream, inspection);
    print_flash(stream, inspection);
    if (inspection->unpacked_size)
        fprintf(stream, "  %-10s %zu bytes\n", "unpacked", inspection->unpacked_size);
    if (inspection->trailer_size)
        fprintf(stream, "  %-10s %zu bytes after the image: %s\n", "trailer",
                inspection->trailer_size, describe_trailer(inspection->trailer));
    print_field(stream, "MD5", judgement->file_md5);
    print_field(stream, "SHA-256", image->sha256);
    if (judgement->sending != INSPECT_IMPOSSIBLE && strcmp(judgement->file_md5, image->md5) != 0)
        fprintf(stream, "  %-10s %zu bytes, MD5 %s\n", "sent as", image->size, image->md5);
}

/* What speaks against sending, and --force overrides. lead begins the verdict. */
static void object(struct judgement *judgement, const char *path, const char *lead,
                   const char reason[IMAGE_FIT_REASON_MAX], bool force)
{
    judgement->sending = force ? INSPECT_DOUBTFUL : INSPECT_IMPOSSIBLE;
    snprintf(judgement->verdict, sizeof judgement->verdict, "%s%s%s", lead, reason,
             force ? image_fit_override(true) : "");
    if (!force)
        ota_fail(&judgement->failure, OTA_E_IMAGE, "%s should not be sent over the air", path);
}

/* Without -i there is no upload: a filesystem image does not lack -s, and boards may fetch the
 * image. */
static enum image_fit judge_alone(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                                  const struct plan_settings *settings)
{
    const bool is_upload = settings->boards.count > 0;
    const bool is_filesystem = !is_upload && image->inspection.kind == INSPECT_FILESYSTEM;

    return image_fit_image(reason, image,
                           is_filesystem ? OTA_COMMAND_FILESYSTEM : settings->prepare.command,
                           !is_upload);
}

/* What the boards' names and ports tell; nobody is asked. Stores the gravest reason. */
static enum image_fit judge_boards(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                                   const struct plan_settings *settings)
{
    enum image_fit worst = IMAGE_FIT_SUITS;
    size_t count = settings->boards.count > 0 ? settings->boards.count : 1;

    for (size_t i = 0; i < count; i++) {
        const struct target *target =
            settings->boards.count > 0 ? &settings->boards.lines[i].target : NULL;
        const char *name = target ? target->name : "";
        uint16_t port = target ? target->port : settings->port;
        struct kind kind;
        enum image_fit fit;
        char found[IMAGE_FIT_REASON_MAX];

        kind_find(&kind, "", &name, 1);
        fit = image_fit_board(found, image, &kind, port);
        if (fit <= worst)
            continue;
        worst = fit;
        memcpy(reason, found, sizeof found);
    }
    return worst;
}

/* image: as it would be sent. */
static void judge_prepared(struct judgement *judgement, const struct image *image,
                           const struct plan_settings *settings, const char *path)
{
    char reason[IMAGE_FIT_REASON_MAX];
    enum image_fit fit = judge_alone(reason, image, settings);

    judgement->sending = image->inspection.sending;
    snprintf(judgement->verdict, sizeof judgement->verdict, "%s",
             fit == IMAGE_FIT_SUITS ? image->inspection.verdict : reason);

    fit = judge_boards(reason, image, settings);
    if (fit == IMAGE_FIT_REFUSED)
        object(judgement, path, "should not be sent: ", reason, settings->force);
    if (fit != IMAGE_FIT_DOUBTFUL || judgement->sending == INSPECT_DOUBTFUL)
        return;

    judgement->sending = INSPECT_DOUBTFUL;
    snprintf(judgement->verdict, sizeof judgement->verdict, "may not work: %s", reason);
}

/* As plan.c does before an upload. *image becomes what would be sent. */
static void judge_image(struct judgement *judgement, struct image **image,
                        const struct plan_settings *settings, const struct sign_key *key,
                        const char *path)
{
    char reason[IMAGE_FIT_REASON_MAX];
    enum image_fit fit = judge_alone(reason, *image, settings);
    struct ota_failure failure;

    *judgement = (struct judgement){.sending = INSPECT_SENDABLE};
    memcpy(judgement->file_md5, (*image)->md5, sizeof judgement->file_md5);
    if (fit == IMAGE_FIT_REFUSED)
        object(judgement, path, "", reason, settings->force);
    if (judgement->failure.error != OTA_OK)
        return;

    if (image_prepare(image, &settings->prepare, key, &failure) != OTA_OK) {
        judgement->sending = INSPECT_IMPOSSIBLE;
        judgement->failure = failure;
        snprintf(judgement->verdict, sizeof judgement->verdict, "cannot be sent: %s",
                 failure.message);
    } else if (fit != IMAGE_FIT_REFUSED) {
        judge_prepared(judgement, *image, settings, path);
    }
}

/* Verifies nothing where public_key is NULL. */
static enum ota_error check(struct image **image, const struct options *options,
                            const struct sign_key *public_key, const struct sign_key *key,
                            struct ota_failure *failure)
{
    char path[PATH_SHOWN];
    int64_t start_us = loop_now_us();
    struct judgement judgement;
    struct signature verified = {.verdict = SIGN_ABSENT};
    const struct signature *signature = public_key ? &verified : NULL;

    input_show(path, sizeof path, (*image)->path);
    judge_image(&judgement, image, &options->plan, key, path);
    if (public_key && image_verify(&verified, *image, public_key, failure) != OTA_OK)
        return failure->error;

    struct stdout_text text;
    bool is_whole = stdout_text_open(&text);
    if (is_whole && options->report.json)
        is_whole =
            report_json_check(text.stream,
                              &(struct report_check){*image, judgement.sending, judgement.verdict,
                                                     judgement.file_md5, signature},
                              loop_now_us() - start_us);
    else if (is_whole)
        print_check(text.stream, *image, path, &judgement, signature);
    const int written = stdout_text_write(&text, STDIO_GUARD_NO_LIMIT);
    const int error = is_whole ? written : ENOMEM;
    if (error != 0)
        return ota_fail_stdout(failure, error);

    *failure = judgement.failure;
    if (failure->error == OTA_OK && signature && signature->verdict != SIGN_VALID)
        return ota_fail(failure, OTA_E_SIGNATURE, "%s cannot be trusted: %s", path,
                        signature->sentence);
    return failure->error;
}

int cmd_check_run(const struct options *options, struct report *report)
{
    const struct plan_settings *settings = &options->plan;
    struct image *image = NULL;
    struct sign_key *public_key = NULL, *key = NULL;
    struct ota_failure failure;
    enum ota_error error = OTA_OK;

    if (settings->verify_key)
        error = image_prepare_load_verify_key(&public_key, settings->verify_key, &failure);
    if (error == OTA_OK && settings->sign)
        error = image_prepare_load_key(&key, settings->sign, &failure);
    if (error == OTA_OK)
        error = image_load(&image, settings->file, !settings->sign, settings->size_limit, &failure);
    if (error == OTA_OK)
        error = image_add_sha256(image, &failure);
    if (error == OTA_OK)
        error = check(&image, options, public_key, key, &failure);

    int status = error == OTA_OK ? 0 : report_failure(report, &failure);
    image_free(image);
    sign_key_free(public_key);
    sign_key_free(key);
    return status;
}
