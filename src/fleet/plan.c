/*
 * plan.c: from the settings to the assignments of a fleet. It reads files, and prints nothing but
 * warnings: about images, and about passwords and keys that others can read.
 */
#include "fleet/plan.h"

#include "base/array.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/secret.h"
#include "image/image_fit.h"
#include "image/image_prepare.h"
#include "secrets/encryption_key.h"
#include "secrets/password.h"
#include "upload/protocols.h"
#include "upload/upload.h"

#include <stdlib.h>
#include <string.h>

/* Refuses an image that no board takes as this, unless --force asks for it. */
static enum ota_error refuse_unfit(const struct image *image, const struct plan_settings *settings,
                                   struct ota_failure *failure)
{
    char shown[512], reason[IMAGE_FIT_REASON_MAX];

    if (image_fit_image(reason, image, settings->prepare.command, settings->is_served) !=
        IMAGE_FIT_REFUSED)
        return OTA_OK;

    input_show(shown, sizeof shown, image->path);
    if (!settings->force)
        return ota_fail(failure, OTA_E_IMAGE, "%s %s%s", shown, reason, image_fit_override(false));
    diag_error("warning: %s %s%s", shown, reason, image_fit_override(true)); /* also with -q */
    return OTA_OK;
}

/* Whether the image, of no format, is a program such as boards with a sketch server take, and only
 * these get it. */
static bool is_for_sketch_servers(const struct plan *plan, const struct image *image)
{
    const struct inspection *inspection = &image->inspection;
    const struct upload_protocol *protocol = plan->settings->protocol; /* of boards to be found */
    bool is_for_them = plan->count > 0 || (protocol && protocol->is_unchecked);

    for (size_t i = 0; i < plan->count; i++)
        if (plan->assignments[i].image == image)
            is_for_them = is_for_them && plan->assignments[i].protocol->is_unchecked;
    return is_for_them && (inspection->has_vector_table || inspection->has_avr_vectors);
}

/* Also tells which images are served to boards of other systems only. */
static void warn_of_doubt(const struct plan *plan)
{
    for (size_t i = 0; i < plan->image_count; i++) {
        const struct image *image = plan->images[i].image; /* as it is sent */
        char shown[512], reason[IMAGE_FIT_REASON_MAX];

        input_show(shown, sizeof shown, image->path);
        if (image->inspection.sending == INSPECT_SERVABLE && plan->settings->is_served)
            diag_info("%s is %s; it is not served to ESP8266, ESP32 and Pico W boards", shown,
                      image->inspection.what);
        if (image_fit_image(reason, image, plan->settings->prepare.command,
                            plan->settings->is_served) == IMAGE_FIT_DOUBTFUL &&
            !is_for_sketch_servers(plan, image))
            diag_warning("%s %s", shown, reason);
    }
}

static enum ota_error verify_image(const struct image *image, const struct sign_key *key,
                                   struct ota_failure *failure)
{
    char shown[512];
    struct signature signature;

    if (image_verify(&signature, image, key, failure) != OTA_OK)
        return failure->error;

    input_show(shown, sizeof shown, image->path);
    if (signature.verdict != SIGN_VALID)
        return ota_fail(failure, OTA_E_SIGNATURE, "%s is not sent: %s", shown, signature.sentence);
    diag_debug("%s: %s", shown, signature.sentence);
    return OTA_OK;
}

static enum ota_error load_image(struct plan *plan, const char *path, struct ota_failure *failure)
{
    const struct plan_settings *settings = plan->settings;
    struct plan_image *images =
        array_grow(plan->images, plan->image_count, &plan->image_capacity, sizeof *images);
    if (!images)
        return ota_fail_no_memory(failure);

    plan->images = images;
    struct plan_image *loaded = &images[plan->image_count];
    *loaded = (struct plan_image){.path = strdup(path)};
    if (!loaded->path)
        return ota_fail_no_memory(failure);
    plan->image_count++;
    if (image_load(&loaded->image, path, !settings->sign, settings->size_limit, failure) !=
            OTA_OK ||
        refuse_unfit(loaded->image, settings, failure) != OTA_OK)
        return failure->error;
    if ((settings->needs_sha256 || settings->resume) &&
        image_add_sha256(loaded->image, failure) != OTA_OK)
        return failure->error;
    if (image_prepare(&loaded->image, &settings->prepare, plan->key, failure) != OTA_OK)
        return failure->error;
    return plan->verify_key ? verify_image(loaded->image, plan->verify_key, failure) : OTA_OK;
}

static enum ota_error find_loaded_image(struct plan *plan, const char *path,
                                        const struct image **image, struct ota_failure *failure)
{
    for (size_t i = 0; i < plan->image_count; i++) {
        if (strcmp(plan->images[i].path, path) == 0) {
            *image = plan->images[i].image;
            return OTA_OK;
        }
    }
    enum ota_error error = load_image(plan, path, failure);
    if (error == OTA_OK)
        *image = plan->images[plan->image_count - 1].image;
    return error;
}

static enum ota_error load_secret(struct plan_secrets *secrets, enum secret_kind kind,
                                  const char *path, const char *written,
                                  struct ota_failure *failure)
{
    const bool is_key = kind == SECRET_ENCRYPTION_KEY;
    enum exposure exposure;
    struct plan_secret *list =
        array_grow(secrets->list, secrets->count, &secrets->capacity, sizeof *list);
    if (!list)
        return ota_fail_no_memory(failure);

    secrets->list = list;
    struct plan_secret *loaded = &list[secrets->count];
    *loaded = (struct plan_secret){.path = strdup(path)};
    if (!loaded->path)
        return ota_fail_no_memory(failure);
    secrets->count++;
    if ((is_key
             ? encryption_key_from_file(&loaded->key, path, written, &exposure, failure)
             : password_from_file(&loaded->password, path, written, &exposure, failure)) != OTA_OK)
        return failure->error;
    exposure_warn(exposure, path, is_key ? "encryption key" : "password");
    return OTA_OK;
}

/* Valid until the next call. NULL: failure is filled in. */
static const struct plan_secret *find_loaded_secret(struct plan_secrets *secrets,
                                                    enum secret_kind kind, const char *path,
                                                    const char *written,
                                                    struct ota_failure *failure)
{
    for (size_t i = 0; i < secrets->count; i++)
        if (strcmp(secrets->list[i].path, path) == 0)
            return &secrets->list[i];
    if (load_secret(secrets, kind, path, written, failure) != OTA_OK)
        return NULL;
    return &secrets->list[secrets->count - 1];
}

static void free_secrets(struct plan_secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++) {
        secret_free(secrets->list[i].password);
        secret_free(secrets->list[i].key);
        free(secrets->list[i].path);
    }
    free(secrets->list);
}

/* The board that is this target, or else one with its name; NULL: there is neither. */
static struct assignment *find_planned(const struct plan *plan, const struct target *target)
{
    struct assignment *namesake = NULL;

    for (size_t i = 0; i < plan->count; i++) {
        struct assignment *planned = &plan->assignments[i];

        if (target_equal(&planned->target, target))
            return planned;
        if (!namesake && target_names_equal(&planned->target, target))
            namesake = planned;
    }
    return namesake;
}

static enum ota_error append_assignment(struct plan *plan, const struct assignment *assignment,
                                        struct ota_failure *failure)
{
    if (plan->count == PLAN_BOARDS_MAX)
        return ota_fail(failure, OTA_E_USAGE,
                        "more than %d boards are named; split them into several runs",
                        PLAN_BOARDS_MAX);
    struct assignment *assignments =
        array_grow(plan->assignments, plan->count, &plan->capacity, sizeof *assignments);
    if (!assignments)
        return ota_fail_no_memory(failure);
    plan->assignments = assignments;
    assignments[plan->count++] = *assignment;
    return OTA_OK;
}

static void find_confirmation(const struct plan *plan, struct assignment *assignment)
{
    char target[ASSIGNMENT_LABEL_MAX];

    if (!plan->resume || !assignment->image)
        return;
    assignment_target(target, assignment);
    assignment->is_confirmed =
        resume_is_confirmed(plan->resume, target, assignment->target.port,
                            assignment->image->sha256, plan->settings->prepare.command);
    assignment->confirmed_port = resume_port(plan->resume, target);
    resume_address(&assignment->confirmed_address, plan->resume, target);
    assignment->confirmed_address_count = resume_addresses(
        assignment->confirmed_addresses, ENDPOINTS_ADDRESSES_MAX, plan->resume, target);
}

/* The board's name in messages, not escaped. */
static const char *name_of(const struct host_line *line)
{
    return line->label ? line->label : line->target.name;
}

/* Names the board of a configuration whose file is at fault; the others have the number of their
 * line. */
static enum ota_error name_board(const struct host_line *line, struct ota_failure *failure)
{
    char shown[2 * TARGET_NAME_MAX];

    if (line->label)
        ota_prefix(failure, "board %s: ", escape_string(shown, sizeof shown, line->label));
    return failure->error;
}

/* The password and the encryption key that a line names. */
static enum ota_error find_secrets(struct plan *plan, const struct host_line *line,
                                   struct assignment *assignment, struct ota_failure *failure)
{
    char shown[2 * TARGET_NAME_MAX];
    const struct plan_secret *found;

    if (line->key_file && !assignment->protocol->takes_encryption_key)
        return ota_fail(failure, OTA_E_USAGE,
                        "%s has an encryption key, but would get its image by %s, without "
                        "encryption; write esphome://%s if it runs ESPHome",
                        escape_string(shown, sizeof shown, name_of(line)),
                        assignment->protocol->name, shown);
    if (line->auth_file) {
        found = find_loaded_secret(&plan->passwords, SECRET_PASSWORD, line->auth_file,
                                   line->auth_file + line->auth_file_written_at, failure);
        if (!found)
            return name_board(line, failure);
        assignment->password = found->password;
    }
    if (line->key_file) {
        found = find_loaded_secret(&plan->keys, SECRET_ENCRYPTION_KEY, line->key_file,
                                   line->key_file + line->key_file_written_at, failure);
        if (!found)
            return name_board(line, failure);
        assignment->encryption_key = found->key;
    }
    return OTA_OK;
}

/* Refuses to name a board twice if that does not mean the same. */
static enum ota_error check_equal(const struct assignment *planned, const struct assignment *other,
                                  struct ota_failure *failure)
{
    char shown[ASSIGNMENT_LABEL_MAX], difference[ASSIGNMENT_DIFFERENCE_MAX];

    if (!*assignment_difference(difference, planned, other))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "%s %s; leave one of them out",
                    assignment_label(shown, other), difference);
}

/* Refuses what a line of a list demands and --serve would not do. */
static enum ota_error check_served(const struct host_line *line, struct ota_failure *failure)
{
    const bool is_told = line->target.scheme != NULL;
    const char *key = hosts_find_unserved(line, is_told);

    if (!key)
        return OTA_OK;
    if (!is_told && strcmp(key, "auth-file") == 0)
        return ota_fail(failure, OTA_E_USAGE,
                        "boards that ask --serve by themselves all need the same password, that of "
                        "--auth-file; leave auth-file= out");
    return ota_fail(failure, OTA_E_USAGE,
                    "--serve has no use for %s= with a board that %s; leave it out", key,
                    is_told ? "is told to fetch" : "asks by itself");
}

/* Whether a line makes sense for its board. */
static enum ota_error check_line(const struct plan *plan, const struct host_line *line,
                                 const struct upload_protocol *protocol,
                                 struct ota_failure *failure)
{
    char shown[2 * TARGET_NAME_MAX];

    if (line->is_rest && !plan->settings->is_served)
        return ota_fail(failure, OTA_E_USAGE,
                        "\"*\" stands for all boards that are not listed, and needs --serve");
    if (plan->settings->is_served && check_served(line, failure) != OTA_OK)
        return failure->error;
    if (line->protocol && line->protocol != protocol)
        return ota_fail(failure, OTA_E_USAGE,
                        "%s has %s:// before its name and %s as its protocol; leave one of them "
                        "out",
                        escape_string(shown, sizeof shown, name_of(line)),
                        line->target.scheme->name, line->protocol->name);
    if (line->expect && plan->settings->is_served)
        return ota_fail(failure, OTA_E_USAGE,
                        "expect= is about the log after an upload; --serve follows no log");
    const bool has_image = line->file || plan->settings->file;
    if (line->expect && (plan->settings->judges_logs || !has_image))
        return ota_fail(
            failure, OTA_E_USAGE,
            "%s has its own expect=; leave that out, or --expect, --reject and --monitor",
            escape_string(shown, sizeof shown, name_of(line)));
    if (!protocols_take_own(protocol, &line->own))
        return ota_fail(failure, OTA_E_USAGE,
                        "%s gets its image by %s, but page=, field= and user= are for update "
                        "pages; write http:// before its name",
                        escape_string(shown, sizeof shown, name_of(line)), protocol->name);
    return OTA_OK;
}

/* Adds the board, unless this target is planned already. */
static enum ota_error add_assignment(struct plan *plan, struct assignment *assignment,
                                     struct ota_failure *failure)
{
    struct assignment *planned = find_planned(plan, &assignment->target);

    if (planned && target_equal(&planned->target, &assignment->target)) {
        if (check_equal(planned, assignment, failure) != OTA_OK)
            return failure->error;
        if (assignment->min_auth > planned->min_auth)
            planned->min_auth = assignment->min_auth;
        if (!planned->label)
            planned->label = assignment->label;
        return OTA_OK;
    }

    if (planned) {
        planned->shares_name = assignment->shares_name = true;
        find_confirmation(plan, planned);
    }
    find_confirmation(plan, assignment);
    return append_assignment(plan, assignment, failure);
}

static const struct upload_protocol *protocol_of(const struct host_line *line,
                                                 const struct plan_settings *settings)
{
    if (line->target.scheme)
        return line->target.scheme->protocol;
    return line->protocol ? line->protocol : settings->protocol;
}

static enum assignment_secret find_secret(bool is_lacking, bool is_there)
{
    if (!is_lacking)
        return ASSIGNMENT_SECRET_SHARED;
    return is_there ? ASSIGNMENT_SECRET_WITHHELD : ASSIGNMENT_SECRET_NONE;
}

static enum auth_scheme min_auth_of(const struct host_line *line,
                                    const struct plan_settings *settings)
{
    if (!line->has_min_auth || (line->is_from_project && line->min_auth < settings->min_auth))
        return settings->min_auth;
    return line->min_auth;
}

/* A line of --hosts; without the files that it does not name it is a board like those of -i. */
static enum ota_error add_host_line(struct plan *plan, const struct host_line *line,
                                    struct ota_failure *failure)
{
    char shown[2 * TARGET_NAME_MAX];
    const struct plan_settings *settings = plan->settings;
    const char *path = line->file ? line->file : settings->file;
    struct assignment assignment = {
        .target = line->target,
        .line = line->number,
        .label = line->label,
        .similar = line->similar,
        .protocol = protocol_of(line, settings),
        .password = line->lacks_password ? NULL : settings->password,
        .encryption_key = line->lacks_key ? NULL : settings->encryption_key,
        .common_password =
            find_secret(line->lacks_password && !line->auth_file, settings->password),
        .common_key = find_secret(line->lacks_key && !line->key_file, settings->encryption_key),
        .min_auth = min_auth_of(line, settings),
        .own = line->own,
        .expect = line->expect};
    const bool is_upload = path || !settings->may_lack_image;

    if (check_line(plan, line, assignment.protocol, failure) != OTA_OK)
        return failure->error;
    if (!path && is_upload)
        return ota_fail(
            failure, OTA_E_USAGE,
            "no firmware is named for %s; add file=FILE to its line, or -f FILE for all",
            escape_string(shown, sizeof shown, name_of(line)));
    enum ota_error error =
        is_upload ? find_loaded_image(plan, path, &assignment.image, failure) : OTA_OK;
    if (error != OTA_OK && line->file)
        name_board(line, failure);
    if (error == OTA_OK)
        error = find_secrets(plan, line, &assignment, failure);
    if (error == OTA_OK)
        error = add_assignment(plan, &assignment, failure);
    return error;
}

enum ota_error plan_add(struct plan *plan, const struct target *target, struct ota_failure *failure)
{
    const struct host_line line = {.target = *target};
    return add_host_line(plan, &line, failure);
}

enum ota_error plan_name_line(const struct plan *plan, size_t line, struct ota_failure *failure)
{
    char shown[512];

    if (line > 0)
        ota_prefix(failure,
                   "%s, line %zu: ", input_show(shown, sizeof shown, plan->settings->hosts), line);
    return failure->error;
}

/* -p is for the boards whose line names no port. */
static enum ota_error add_hosts(struct plan *plan, struct ota_failure *failure)
{
    enum ota_error error = hosts_read(&plan->hosts, plan->settings->hosts, failure);

    for (size_t i = 0; i < plan->hosts.count && error == OTA_OK; i++) {
        struct host_line *line = &plan->hosts.lines[i];

        if (line->target.port == 0)
            line->target.port = plan->settings->port;
        if (add_host_line(plan, line, failure) != OTA_OK)
            error = plan_name_line(plan, line->number, failure);
    }
    return error;
}

enum ota_error plan_make(struct plan *plan, const struct plan_settings *settings,
                         struct ota_failure *failure)
{
    enum ota_error error = OTA_OK;

    *plan = (struct plan){.settings = settings};
    if (settings->resume)
        error = resume_load(&plan->resume, settings->resume, failure);
    if (error == OTA_OK && settings->sign)
        error = image_prepare_load_key(&plan->key, settings->sign, failure);
    if (error == OTA_OK && settings->verify_key)
        error = image_prepare_load_verify_key(&plan->verify_key, settings->verify_key, failure);
    /* Before the search for boards: a wrong file name should be reported at once. */
    if (error == OTA_OK && settings->file)
        error = load_image(plan, settings->file, failure);
    for (size_t i = 0; i < settings->boards.count && error == OTA_OK; i++)
        error = add_host_line(plan, &settings->boards.lines[i], failure);
    if (error == OTA_OK && settings->hosts)
        error = add_hosts(plan, failure);
    if (error == OTA_OK)
        warn_of_doubt(plan);
    /* All images are signed, and no child that is forked later has the key. */
    sign_key_free(plan->key);
    plan->key = NULL;
    return error;
}

bool plan_judges_logs(const struct plan *plan)
{
    size_t i = 0;

    while (i < plan->count && !plan->assignments[i].expect)
        i++;
    return i < plan->count;
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->image_count; i++) {
        image_free(plan->images[i].image);
        free(plan->images[i].path);
    }
    hosts_free(&plan->hosts);
    free(plan->assignments);
    free(plan->images);
    free_secrets(&plan->passwords);
    free_secrets(&plan->keys);
    resume_free(plan->resume);
    sign_key_free(plan->key);
    sign_key_free(plan->verify_key);
}
