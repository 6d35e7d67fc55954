/*
 * job_session.c: the upload session of a job: which image and which settings it gets, and what
 * follows when it ends.
 */
#include "fleet/job_internal.h"

#include "base/error.h"
#include "base/units.h"
#include "fleet/job_policy.h"

#include <stdio.h>
#include <string.h>

static const int64_t TURN_US = MILLISECONDS(250); /* two boards behind one address take turns */

static void on_session_event(const struct ota_event *event, void *userdata)
{
    job_emit_event(userdata, event);
}

static void open_session(struct job *job);

/* The board has rejected an answer and is idle again. As the user types another password, the count
 * of answers that the board may get starts again. */
static void try_other_password(struct job *job)
{
    job_emit_event(job,
                   &(struct ota_event){.type = OTA_EVENT_NOTE,
                                       .phase = OTA_PHASE_AUTHENTICATE,
                                       .message = "the board rejected the password that was typed",
                                       .is_important = true});
    trust_begin_again(&job->trust);
    open_session(job);
}

/* Whether the user types another password. */
static bool is_password_asked_again(struct job *job, const struct ota_failure *failure)
{
    if (failure->cause != OTA_CAUSE_PASSWORD_REJECTED || !job->was_typed)
        return false;
    job->was_typed = false;
    job->password = NULL;
    return job->callbacks.on_rejected(job->callbacks.userdata);
}

static void on_session_done(struct session *session, const struct ota_failure *failure,
                            void *userdata)
{
    struct job *job = userdata;
    struct ota_failure result = *failure;
    enum ota_phase phase = session_phase(session);

    session_free(session);
    job->session = NULL;
    if (result.error == OTA_OK && boot_check_is_wanted(job->config.log))
        job_check_boot(job, phase, &result);
    else if (result.error == OTA_E_UNKNOWN &&
             job_policy_can_prove(job->config.log, job_family(job)))
        job_prove_instead(job, &result);
    else if (is_password_asked_again(job, &result))
        try_other_password(job);
    else
        job_conclude(job, phase, &result);
}

static void on_password_wanted(struct session *session, void *userdata)
{
    (void)session;
    struct job *job = userdata;
    job->callbacks.on_password(job->callbacks.userdata);
}

void job_set_password(struct job *job, const char *password)
{
    job->password = password;
    job->was_typed = password;
    if (job->session)
        session_set_password(job->session, password);
}

void job_require_auth(struct job *job, enum auth_scheme least)
{
    if (least > job->trust.least)
        job->trust.least = least;
}

bool job_has_given_md5(const struct job *job)
{
    return job->trust.has_given_md5;
}

void job_park(struct job *job)
{
    session_free(job->session);
    job->session = NULL;
    job->is_counted = false;
    job->paused = OTA_PHASE_AUTHENTICATE;
}

static struct session_config make_session_config(struct job *job)
{
    const struct upload_settings *settings = job->config.upload;
    struct session_config config = {
        .loop = job->config.loop,
        .listener = job->config.listener,
        .work_queue = job->config.work_queue,
        .image = job->image,
        .command = settings->command,
        .board = job->name,
        .endpoints = &job->endpoints,
        .source = settings->has_source ? &settings->source : NULL,
        .heard = &job->found.claims,
        .peer = settings->has_peer ? &settings->peer : NULL,
        .peer_any = settings->peer_any,
        .md5_target = settings->md5_target,
        .password = job->password,
        .accept_timeout_us = settings->timeout_us,
        .block = job->block,
        .is_forced = settings->force,
        .notices = &job->notices,
        .trust = &job->trust,
        .echo = &job->echo,
        .sha256_addresses = job->config.sha256_addresses,
        .announces_password = job->found.password == TXT_YES,
    };

    if (image_fit_sha256_challenge(job->sha256_objection, job->image) == IMAGE_FIT_REFUSED)
        config.sha256_objection = job->sha256_objection;
    return config;
}

/* Whether another session waits for a connection from the same address. */
static bool is_peer_taken(const struct job *job)
{
    const struct listener *listener = job->config.listener;
    const struct upload_settings *settings = job->config.upload;

    if (settings->has_peer || settings->peer_any)
        return listener_is_expecting(listener, settings->peer_any ? NULL : &settings->peer);
    for (size_t i = 0; i < job->endpoints.address_count; i++)
        if (listener_is_expecting(listener, &job->endpoints.addresses[i]))
            return true;
    return false;
}

static void on_board_endpoint(size_t endpoint, void *userdata)
{
    struct job *job = userdata;

    job->answered = endpoints_get(&job->endpoints, endpoint);
    if (endpoint != job->endpoint)
        job_choose_endpoint(job, endpoint);
}

/* Whether the image may be sent to this board. Tells an objection to it once. */
static bool is_image_fit(struct job *job, struct ota_failure *failure)
{
    const struct kind kind = job_kind(job);
    uint16_t given = job->config.assignment->target.port;
    char reason[IMAGE_FIT_REASON_MAX], message[IMAGE_FIT_REASON_MAX + 64];
    enum image_fit screening = image_fit_board(reason, job->config.assignment->image, &kind,
                                               given ? given : job->found.port);

    if (screening == IMAGE_FIT_REFUSED && !job->config.upload->force) {
        ota_fail(failure, OTA_E_IMAGE, "%s (--force sends it all the same)", reason);
        return false;
    }
    if (screening == IMAGE_FIT_SUITS || strcmp(job->objection, reason) == 0)
        return true;
    snprintf(message, sizeof message, "%s%s", reason,
             screening == IMAGE_FIT_REFUSED ? "; it is sent all the same, as --force asks" : "");
    job_note(job, OTA_PHASE_RESOLVE, message);
    snprintf(job->objection, sizeof job->objection, "%s", reason);
    return true;
}

/* Chooses the image with the signature that this board checks. */
static bool choose_variant(struct job *job, const struct kind *kind, struct ota_failure *failure)
{
    const struct image *image = job->config.assignment->image;
    const uint16_t given = job->config.assignment->target.port;
    const struct image *variant = image_fit_variant(image, kind, given ? given : job->found.port);

    if (!variant) {
        ota_fail(
            failure, OTA_E_USAGE,
            "the board may be an ESP32 or not, and ESP32 boards check another kind of "
            "signature; add -p 3232 for an ESP32, -p 8266 for an ESP8266 or -p 2040 for a Pico W");
        return false;
    }
    if (image->for_esp32) {
        job->image = variant;
        job->endpoints.port_count = 1; /* boards at the other default ports want the other one */
    }
    return true;
}

static void open_session(struct job *job)
{
    const struct session_callbacks callbacks = {.on_event = on_session_event,
                                                .on_endpoint = on_board_endpoint,
                                                .on_password = on_password_wanted,
                                                .on_done = on_session_done,
                                                .userdata = job};
    const struct session_config config = make_session_config(job);

    job->session = session_start(&config, &callbacks);
    if (!job->session)
        job_conclude(job, OTA_PHASE_RESOLVE,
                     &(struct ota_failure){.error = OTA_E_INTERNAL, .message = "out of memory"});
}

void job_start_session(struct job *job)
{
    const struct kind kind = job_kind(job);
    struct endpoint_port ports[ENDPOINTS_PORTS_MAX];
    struct ota_failure failure;

    if (!is_image_fit(job, &failure)) {
        job_conclude(job, OTA_PHASE_RESOLVE, &failure);
        return;
    }
    job_set_endpoints(job, ports,
                      job_policy_ports(ports, job->config.assignment, job->found.port, &kind,
                                       job->config.upload->force));
    if (!choose_variant(job, &kind, &failure)) {
        job_conclude(job, OTA_PHASE_RESOLVE, &failure);
        return;
    }
    if (!job->callbacks.on_endpoints(&job->endpoints, job->callbacks.userdata)) {
        job->callbacks.on_done(job->callbacks.userdata);
        return;
    }
    if (is_peer_taken(job)) {
        job_rest(job, OTA_PHASE_RESOLVE, "", TURN_US, false);
        return;
    }
    job->source = job->found.source;
    job_choose_endpoint(job, 0);
    open_session(job);
}
