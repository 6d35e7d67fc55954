/*
 * job_upload.c: the attempts of a job: the image for the board, and the steps after an attempt.
 */
#include "fleet/job_internal.h"

#include "base/error.h"
#include "base/input.h"
#include "base/text.h"
#include "base/units.h"
#include "discovery/board_list.h"
#include "fleet/job_policy.h"
#include "image/kind.h"
#include "upload/protocols.h"
#include "upload/way.h"

#include <stdio.h>
#include <string.h>

static void on_upload_event(const struct ota_event *event, void *userdata)
{
    job_emit_event(userdata, event);
}

static void start_upload(struct job *job);

/* The board has rejected an answer and is idle again. */
static void try_other_password(struct job *job)
{
    job_emit_event(job,
                   &(struct ota_event){.type = OTA_EVENT_NOTE,
                                       .phase = OTA_PHASE_AUTHENTICATE,
                                       .message = "the board rejected the password that was typed",
                                       .is_important = true});
    job->was_rejected = true;
    upload_begin_again(job->upload);
    upload_narrow(job->upload, &job->endpoints);
    job_set_endpoint(job, 0);
    start_upload(job);
}

/* Whether the user types another password. */
static bool is_password_asked_again(struct job *job, const struct ota_failure *failure)
{
    const bool is_rejected =
        failure->cause == OTA_CAUSE_PASSWORD_REJECTED || failure->cause == OTA_CAUSE_PIN_REJECTED;

    if (!is_rejected || !job->was_typed)
        return false;
    job->was_typed = false;
    job->password = NULL;
    return job->callbacks.on_rejected(job->callbacks.userdata);
}

static bool was_heard(const struct job *job)
{
    return job->answered.any.sa_family != AF_UNSPEC;
}

void job_explain_silence(const struct job *job, struct ota_failure *failure)
{
    const struct endpoints *endpoints = &job->endpoints;
    const struct way way = {.endpoints = endpoints,
                            .source = &job->config.upload->source,
                            .heard = &job->found.claims,
                            .best = job->endpoint / endpoints->port_count,
                            .is_silent = {endpoints->address_count == 1}};
    char text[WAY_MAX];

    if (failure->cause != OTA_CAUSE_NONE && failure->cause != OTA_CAUSE_NO_WAY_OUT &&
        failure->cause != OTA_CAUSE_NO_ROUTE)
        return;

    const enum ota_cause cause = way_describe(text, &way);
    const enum job_way known = job_policy_way(cause);
    const bool is_of_silence = cause == OTA_CAUSE_NOBODY || cause == OTA_CAUSE_DETOUR;

    if (known == JOB_WAY_SUSPECTED && was_heard(job)) /* that way */
        return;
    if (is_of_silence ? failure->error == OTA_E_LOCAL : known == JOB_WAY_UNKNOWN)
        return;
    failure->cause = cause;
    if (cause == OTA_CAUSE_BROADCAST && failure->error == OTA_E_UNREACHABLE)
        failure->error = OTA_E_LOCAL;
    text_append(failure->message, sizeof failure->message, "; %s", text);
}

/* Whether the failure may be one of the way to the board, and has not been explained. */
static bool is_perhaps_no_way(const struct job *job, const struct ota_failure *failure)
{
    return failure->error == OTA_E_UNREACHABLE || /* perhaps by a router's word */
           failure->error == OTA_E_LOCAL || (failure->error == OTA_E_NO_ANSWER && !was_heard(job));
}

static void on_upload_done(const struct ota_failure *failure, void *userdata)
{
    struct job *job = userdata;
    struct ota_failure result = *failure;
    enum ota_phase phase = upload_phase(job->upload);

    upload_stop(job->upload);
    if (is_perhaps_no_way(job, &result))
        job_explain_silence(job, &result);
    if (phase == OTA_PHASE_PROOF && !job->is_reading_back)
        job_judge_version(job, &result);
    if (job->is_reading_back)
        job_end_read_back(job, &result);
    else if (result.error == OTA_OK && boot_check_is_wanted(job->config.log))
        job_check_boot(job, phase, &result);
    else if (result.error == OTA_E_UNKNOWN &&
             job_policy_can_prove(job->config.log,
                                  upload_restart_proves(job->upload, job_family(job))))
        job_prove_instead(job, &result);
    else if (is_password_asked_again(job, &result))
        try_other_password(job);
    else
        job_conclude(job, phase, &result);
}

static void on_password_wanted(void *userdata)
{
    struct job *job = userdata;

    job->callbacks.on_password(job->callbacks.userdata);
}

void job_set_password(struct job *job, const char *password)
{
    job->password = password;
    job->was_typed = password;
    if (upload_is_running(job->upload))
        upload_set_password(job->upload, password);
}

void job_withhold_password(struct job *job)
{
    job->is_withheld = true;
    job_set_password(job, NULL);
}

void job_require_auth(struct job *job, enum auth_scheme least)
{
    if (job->upload)
        upload_require_auth(job->upload, least);
}

bool job_has_given_md5(const struct job *job)
{
    return job->upload && upload_has_given_md5(job->upload);
}

void job_park(struct job *job)
{
    upload_stop(job->upload);
    job->is_counted = false;
    job->paused = OTA_PHASE_AUTHENTICATE;
}

static void on_board_endpoint(size_t endpoint, void *userdata)
{
    struct job *job = userdata;

    job->answered = endpoints_get(&job->endpoints, endpoint);
    job->is_heard = true;
    job->callbacks.on_found(endpoint, job->callbacks.userdata);
    if (endpoint != job->endpoint)
        job_choose_endpoint(job, endpoint);
}

static void on_board_blamed(size_t endpoint, void *userdata)
{
    job_set_endpoint(userdata, endpoint);
}

/* Judges the image by the board's chip, and then by what else is known of both. */
static enum image_fit judge_image(char reason[IMAGE_FIT_REASON_MAX], const struct job *job)
{
    const struct assignment *assignment = job->config.assignment;
    const struct kind kind = job_kind(job);

    if (assignment->image->inspection.format == INSPECT_UF2 && !assignment->protocol->takes_uf2) {
        snprintf(
            reason, IMAGE_FIT_REASON_MAX,
            "the image is a %s, which boards take only by ESPHome's OTA (esphome://) or on its "
            "page",
            assignment->image->inspection.name);
        return IMAGE_FIT_REFUSED;
    }
    enum image_fit fit = image_fit_board(reason, assignment->image, &kind, job_telling_port(job));

    if (fit == IMAGE_FIT_SUITS && assignment->protocol->doubt &&
        assignment->protocol->doubt(reason, assignment->image, &job->found))
        fit = IMAGE_FIT_DOUBTFUL;
    return fit;
}

/* Whether the image may be sent to this board. Tells an objection to it once. */
static bool is_image_fit(struct job *job, struct ota_failure *failure)
{
    char reason[IMAGE_FIT_REASON_MAX], message[IMAGE_FIT_REASON_MAX + 64];
    enum image_fit screening = judge_image(reason, job);

    if (screening == IMAGE_FIT_REFUSED && !job->config.upload->force) {
        ota_fail(failure, OTA_E_IMAGE, "%s%s", reason, image_fit_override(false));
        return false;
    }
    if (screening == IMAGE_FIT_SUITS || strcmp(job->objection, reason) == 0)
        return true;
    snprintf(message, sizeof message, "%s%s", reason,
             screening == IMAGE_FIT_REFUSED ? image_fit_override(true) : "");
    job_emit_event(job, &(struct ota_event){.type = OTA_EVENT_NOTE,
                                            .phase = OTA_PHASE_RESOLVE,
                                            .message = message,
                                            .is_warning = true});
    snprintf(job->objection, sizeof job->objection, "%s", reason);
    return true;
}

/* Chooses the image with the signature that this board checks. */
static bool choose_variant(struct job *job, const struct kind *kind, struct ota_failure *failure)
{
    const struct image *image = job->config.assignment->image;
    const struct image *variant = image_fit_variant(image, kind, job_telling_port(job));

    if (!variant) {
        ota_fail(failure, OTA_E_USAGE,
                 "the board may be an ESP32 or not, and ESP32 boards check another kind of "
                 "signature%s",
                 upload_ports_tell_chips(job->config.assignment->protocol) ? "; " KIND_ADD_PORT
                                                                           : "");
        return false;
    }
    if (image->for_esp32) {
        job->image = variant;
        job->endpoints.port_count = 1; /* boards at the other default ports want the other one */
    }
    return true;
}

struct upload *job_new_upload(struct job *job)
{
    const struct upload_config config = {.service = job->config.service,
                                         .mdns = job->config.mdns,
                                         .target = &job->config.assignment->target,
                                         .board = job->name,
                                         .encryption_key = job->config.assignment->encryption_key,
                                         .min_auth = job->config.assignment->min_auth,
                                         .echo = &job->echo,
                                         .own = &job->config.assignment->own};
    const struct upload_callbacks callbacks = {.on_event = on_upload_event,
                                               .on_endpoint = on_board_endpoint,
                                               .on_blamed = on_board_blamed,
                                               .on_password = on_password_wanted,
                                               .on_done = on_upload_done,
                                               .userdata = job};

    return upload_new(&config, &callbacks);
}

static void start_upload(struct job *job)
{
    const struct upload_attempt attempt = {.image = job->image,
                                           .endpoints = &job->endpoints,
                                           .found = &job->found,
                                           .password = job->password};

    struct ota_failure failure;

    job->began_us = loop_now_us();
    if (!upload_start(job->upload, &attempt, &failure))
        job_conclude(job, OTA_PHASE_RESOLVE, &failure);
}

void job_end_dry_run(struct job *job)
{
    char message[OTA_MESSAGE_MAX], file[OTA_MESSAGE_MAX / 2], size[UNITS_TEXT_MAX];
    const bool lacks_password =
        job->found.password == TXT_YES && (!job->password || !*job->password);

    if (!job->image) {
        job->callbacks.on_planned("its log would be followed", job->callbacks.userdata);
        job->callbacks.on_done(job->callbacks.userdata);
        return;
    }

    snprintf(message, sizeof message, "would get the %s %s, %s, at %s, port %u (%s), by %s%s",
             job->config.upload->command == OTA_COMMAND_SKETCH ? "sketch" : "filesystem image",
             input_show(file, sizeof file, job->image->path), format_size(size, job->image->size),
             job->address, job->port, job->port_source, job->config.assignment->protocol->name,
             lacks_password ? "; it announces that it asks for a password, but none is given" : "");
    job->callbacks.on_planned(message, job->callbacks.userdata);
    job->callbacks.on_done(job->callbacks.userdata);
}

/* Whether the announced port may take the upload. The user's own port needs no announcement. */
static bool is_right_protocol(const struct job *job, struct ota_failure *failure)
{
    const struct assignment *assignment = job->config.assignment;
    const struct board board = {.service = job->found.service, .port = job->found.port};
    const struct upload_protocol *announced = job->found.port ? protocols_for(&board) : NULL;

    if (assignment->target.port || !assignment->protocol->is_announced || !announced ||
        announced == assignment->protocol)
        return true;
    ota_fail(failure, OTA_E_USAGE,
             "the board announces the protocol %s (port %u), not %s; add --protocol %s, or write "
             "%s:// before its name",
             announced->name, board.port, assignment->protocol->name, announced->name,
             announced->name);
    return false;
}

void job_start_upload(struct job *job)
{
    const struct kind kind = job_kind(job);
    const uint16_t announced =
        job->config.assignment->target.port ? job_announced_port(job) : job_known_port(job);
    struct endpoint_port ports[ENDPOINTS_PORTS_MAX];
    struct ota_failure failure;

    if (!is_right_protocol(job, &failure) || !is_image_fit(job, &failure)) {
        job_conclude(job, OTA_PHASE_RESOLVE, &failure);
        return;
    }
    job_set_endpoints(job, ports,
                      job_policy_ports(ports, job->config.assignment, announced, &kind,
                                       job->config.upload->force));
    if (!choose_variant(job, &kind, &failure)) {
        job_conclude(job, OTA_PHASE_RESOLVE, &failure);
        return;
    }
    if (!job_claim_endpoints(job))
        return;
    if (job->config.fleet->is_dry_run) {
        job->source = job->found.source;
        job_choose_endpoint(job, 0);
        job_end_dry_run(job);
        return;
    }
    if (upload_is_busy(job->upload,
                       &job->endpoints)) { /* two boards behind one address take turns */
        job_wait_for_turn(job);
        return;
    }
    job->source = job->found.source;
    job_choose_endpoint(job, 0);
    start_upload(job);
}
