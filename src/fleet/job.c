/*
 * job.c: one board: resolve the name, choose the port, run the session; and again, when that can
 * cure what went wrong.
 *
 * It opens no socket and prints nothing; what the board says is session.c's business.
 */
#include "fleet/job.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/loop.h"
#include "boardlog/boot_check.h"
#include "discovery/networks.h"
#include "discovery/resolve.h"
#include "fleet/job_policy.h"
#include "image/image_fit.h"
#include "secrets/echo.h"
#include "upload/espota/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t RESOLVE_US = 10 * INT64_C(1000000);
static const int64_t LOOK_AGAIN_US = 1000000; /* for a board that is waited for */
static const int64_t TURN_US = 250000;        /* two boards behind one address take turns */

struct job {
    struct job_config config;
    struct job_callbacks callbacks;
    char name[4 * TARGET_NAME_MAX]; /* escaped */
    struct endpoints endpoints;     /* where the board may listen */
    size_t endpoint;                /* the one that answers; until then the first */
    struct address answered;        /* the one that answered last; AF_UNSPEC: none has yet */
    char address[ADDRESS_TEXT_MAX]; /* of endpoint */
    uint16_t port;
    const char *source;
    const char *port_source;
    const char *password;
    const struct image *image; /* the plain one, once the board has refused the compressed */
    struct resolution found;   /* by the last attempt that found the board */
    struct resolver *resolver;
    struct session *session;
    struct boot_check *follow; /* after the upload, or without one */
    struct loop_timer timer;
    int64_t ready_us;      /* when the pause before the next attempt is over; 0: there is none */
    int64_t deadline_us;   /* of --deadline; 0: none */
    enum ota_phase paused; /* where the last attempt ended */
    char last[OTA_MESSAGE_MAX]; /* and why; "": none has */
    unsigned attempt;           /* counts from 1 */
    unsigned notices;           /* enum notice: those that its sessions gave */
    struct trust trust;         /* what the board got and showed in its sessions */
    struct echo echo;           /* what is not shown of its words */
    bool is_counted;            /* the attempt to come is a new one */
    bool waits;                 /* has said that it waits for the board to appear */
    bool was_typed;             /* the password: job_set_password() gave it */
    char sha256_objection[IMAGE_FIT_REASON_MAX];
    char objection
        [IMAGE_FIT_REASON_MAX]; /* what speaks against the image and was said; "": nothing */
    size_t block;               /* lock-step; 0: streaming */
    int64_t start_us;           /* 0: not yet */
    int64_t connected_us;       /* 0: not yet */
    int64_t sent_us;            /* from then until all was acknowledged; 0: not yet */
    int64_t confirmed_us;       /* 0: not yet */
    size_t acknowledged;
    bool is_verdict_lost; /* and proof is to take its place */
    struct broken {       /* the last attempt that broke off after the board had accepted */
        struct ota_failure failure;
        enum ota_phase phase;
        size_t acknowledged;
    } broken;
};

/* The words of a board are hidden where they come in; what a message has put together of them, or
 * of names that were announced since, is hidden here. */
static const struct ota_failure *hide_echo(const struct job *job, struct ota_failure *copy,
                                           const struct ota_failure *failure)
{
    const char *shown = echo_hide(&job->echo, failure->message);

    if (shown == failure->message)
        return failure;
    *copy = *failure;
    snprintf(copy->message, sizeof copy->message, "%s", shown);
    return copy;
}

static void emit_event(struct job *job, const struct ota_event *event)
{
    struct ota_event complete = *event;
    struct ota_failure failure;
    int64_t now_us = loop_now_us();

    if (event->type == OTA_EVENT_CONNECTED) {
        job->connected_us = now_us;
        job->sent_us = 0;
    }
    if (event->type == OTA_EVENT_PROGRESS) {
        job->acknowledged = event->bytes;
        if (event->bytes == job->image->size && !job->sent_us)
            job->sent_us = now_us - job->connected_us;
    }
    complete.board = job->name;
    complete.image = job->image;
    if (!complete.address) {
        complete.address = *job->address ? job->address : NULL;
        complete.port = job->port;
    }
    complete.source = job->source;
    complete.port_source = job->port_source;
    complete.bytes = job->acknowledged;
    complete.total = complete.image ? complete.image->size : 0;
    complete.elapsed_us = now_us - job->start_us;
    complete.sent_us = job->sent_us;
    if (job->connected_us)
        complete.transfer_us = (job->confirmed_us ? job->confirmed_us : now_us) - job->connected_us;
    if (event->message)
        complete.message = echo_hide(&job->echo, event->message);
    if (event->failure)
        complete.failure = hide_echo(job, &failure, event->failure);
    job->callbacks.on_event(&complete, job->callbacks.userdata);
}

/* Says where the board is, or is looked for first. */
static void take_endpoint(struct job *job, size_t endpoint)
{
    const struct address address = endpoints_get(&job->endpoints, endpoint);

    job->endpoint = endpoint;
    address_text(job->address, &address);
    job->port = address_port(&address);
    job->port_source = endpoints_port_source(&job->endpoints, endpoint);
    emit_event(job, &(struct ota_event){.type = OTA_EVENT_RESOLVED, .phase = OTA_PHASE_RESOLVE});
}

static void on_session_event(const struct ota_event *event, void *userdata)
{
    emit_event(userdata, event);
}

/* The kind of the board, by its announcement and its names. */
static struct kind kind_of(const struct job *job)
{
    const char *names[] = {job->found.instance, job->config.assignment->target.name};
    struct kind kind;

    kind_find(&kind, job->found.type, names, sizeof names / sizeof *names);
    return kind;
}

/* NULL if it is unknown, or if the board gets no image. */
static const struct kind_family *family_of_board(const struct job *job)
{
    const struct kind kind = kind_of(job);

    return job->image ? job_policy_family(&kind, job->image, job->port) : NULL;
}

static void arm_timer(struct job *job)
{
    int64_t due_us = job->ready_us;
    if (job->deadline_us && (!due_us || job->deadline_us < due_us))
        due_us = job->deadline_us;

    int64_t delay_us = due_us - loop_now_us();
    if (delay_us < 0)
        delay_us = 0;
    if (due_us)
        loop_timer_start(&job->timer, delay_us);
    else
        loop_timer_stop(&job->timer);
}

/* The image is at fault, whenever that is noticed: by the board's announcement or its challenge. */
static void emit_result(struct job *job, enum ota_phase phase, const struct ota_failure *failure,
                        int signal_number)
{
    const struct kind_family *family = family_of_board(job);

    if (failure->error == OTA_E_IMAGE)
        phase = OTA_PHASE_IMAGE;
    job->ready_us = job->deadline_us = 0;
    arm_timer(job);
    emit_event(job, &(struct ota_event){.type = OTA_EVENT_RESULT,
                                        .phase = phase,
                                        .failure = failure,
                                        .chips = family ? family->chips : "",
                                        .is_verdict_lost = job->is_verdict_lost,
                                        .exit_status =
                                            ota_error_exit_status(failure->error, signal_number)});
}

/* why: how the attempt ended; "" where there was none. */
static void rest_before_retry(struct job *job, enum ota_phase phase, const char *why,
                              int64_t pause_us, bool is_counted)
{
    snprintf(job->last, sizeof job->last, "%s", why);
    job->is_counted = is_counted;
    job->paused = phase;
    job->ready_us = loop_now_us() + pause_us;
    arm_timer(job);
    job->callbacks.on_rest(job->callbacks.userdata);
}

static void note(struct job *job, enum ota_phase phase, const char *message)
{
    emit_event(job,
               &(struct ota_event){.type = OTA_EVENT_NOTE, .phase = phase, .message = message});
}

static void try_again(struct job *job, enum ota_phase phase, const struct ota_failure *failure)
{
    char message[OTA_MESSAGE_MAX + 128];
    int64_t wait_us = job_policy_pause_us(job->attempt);

    if (!job_policy_is_absence(failure->error))
        job->broken = (struct broken){*failure, phase, job->acknowledged};
    /* A board that aborts with unread data queued resets, and its reason is lost; in lock-step
     * nothing is queued and the reason arrives. */
    if (job_policy_is_break(failure->error) && !job->block)
        job->block = job_policy_block(job->config.upload, job->image);
    if (failure->error == OTA_E_NO_CONNECTION && failure->cause != OTA_CAUSE_OTHER_ADDRESS)
        snprintf(message, sizeof message,
                 "%s: %s; a firewall drops its packets, or they were lost: once more in %.0f s",
                 ota_phase_name(phase), failure->message, (double)wait_us / 1e6);
    else
        snprintf(message, sizeof message, "%s: %s; attempt %u of %u%s in %.0f s",
                 ota_phase_name(phase), failure->message, job->attempt + 1,
                 job->config.fleet->retries + 1, job->block ? ", in lock-step," : "",
                 (double)wait_us / 1e6);
    note(job, phase, message);
    rest_before_retry(job, phase, failure->message, wait_us, true);
}

/* A board that unpacks nothing can do no better, so this counts as no attempt, and begins as the
 * first one did. */
static void fall_back(struct job *job, enum ota_phase phase, const struct ota_failure *failure)
{
    char message[OTA_MESSAGE_MAX + 128];
    int64_t wait_us = job_policy_pause_us(1);

    snprintf(message, sizeof message,
             "%s: %s; its core does not unpack what is compressed, so the image follows "
             "uncompressed in %.0f s",
             ota_phase_name(phase), failure->message, (double)wait_us / 1e6);
    job->image = job->image->plain;
    job->block =
        job->config.upload->lockstep ? job_policy_block(job->config.upload, job->image) : 0;
    job->broken = (struct broken){.failure.error = OTA_OK};
    note(job, phase, message);
    rest_before_retry(job, phase, failure->message, wait_us, false);
}

/* --wait: the board may be asleep or off. */
static void look_for_board_again(struct job *job, enum ota_phase phase,
                                 const struct ota_failure *failure)
{
    char message[OTA_MESSAGE_MAX + 128];

    if (!job->waits) {
        snprintf(message, sizeof message, "%s: %s; waiting for the board, %.3g s at most",
                 ota_phase_name(phase), failure->message, (double)job->config.fleet->wait_us / 1e6);
        note(job, phase, message);
    }
    job->waits = true;
    rest_before_retry(job, phase, failure->message, LOOK_AGAIN_US, false);
}

/* That a board does not answer says less than how its transfer broke off in an earlier attempt. */
static void end_job(struct job *job, enum ota_phase phase, const struct ota_failure *failure)
{
    struct ota_failure result = *failure;
    const struct broken *broken = &job->broken;

    if (job_policy_is_absence(failure->error) && broken->failure.error) {
        ota_fail(&result, broken->failure.error, "%s; and then: %s", broken->failure.message,
                 failure->message);
        result.cause = broken->failure.cause;
        job->acknowledged = broken->acknowledged;
        phase = broken->phase;
    }
    emit_result(job, phase, &result, 0);
    job->callbacks.on_done(job->callbacks.userdata);
}

/* The end of one attempt, and perhaps of the work. */
static void conclude(struct job *job, enum ota_phase phase, const struct ota_failure *failure)
{
    int64_t wait_us = job->config.fleet->wait_us;
    bool is_waited_for =
        wait_us && job_policy_is_absence(failure->error) && !job->broken.failure.error;

    if (is_waited_for && loop_now_us() - job->start_us < wait_us)
        look_for_board_again(job, phase, failure);
    else if (job_policy_wants_plain(job->image, failure))
        fall_back(job, phase, failure);
    else if (!is_waited_for && job->attempt <= job->config.fleet->retries &&
             job_policy_is_worth_another(failure->error, job->broken.failure.error, job->attempt))
        try_again(job, phase, failure);
    else
        end_job(job, phase, failure);
}

/* -- after the confirmation, or without an upload: the log, and the proof of boot -- */

static enum ota_phase phase_of_follow(const struct job *job)
{
    return job->image ? OTA_PHASE_PROOF : OTA_PHASE_LOG;
}

static void on_board_line(const struct line *line, void *userdata)
{
    emit_event(userdata, &(struct ota_event){.type = OTA_EVENT_LOG,
                                             .phase = phase_of_follow(userdata),
                                             .line = line});
}

static void on_note(const char *message, void *userdata)
{
    note(userdata, phase_of_follow(userdata), message);
}

/* Adds the verdict on the upload to the result of its proof. */
static void add_verdict(const struct job *job, struct ota_failure *result,
                        const struct ota_failure *proof)
{
    if (job->is_verdict_lost)
        ota_fail(result, proof->error, "its verdict was lost, %s %s",
                 proof->error == OTA_OK ? "but" : "and", proof->message);
    else if (job->image && proof->error != OTA_OK)
        ota_fail(result, proof->error, "the board has confirmed the upload, but %s",
                 proof->message);
    else
        *result = *proof;
    result->cause = proof->cause;
}

static void on_verdict(const struct ota_failure *verdict, void *userdata)
{
    struct job *job = userdata;
    struct ota_failure result;

    add_verdict(job, &result, verdict);
    bool goes_on = boot_check_is_endless(job->config.log);
    if (!goes_on) {
        boot_check_free(job->follow);
        job->follow = NULL;
    }
    emit_result(job, phase_of_follow(job), &result, 0);
    if (!goes_on)
        job->callbacks.on_done(job->callbacks.userdata);
}

/* seen: what is known already of the board's restart. Ends the job when memory ran out: after false
 * it may have been freed. */
static bool start_follow(struct job *job, enum ota_cause seen)
{
    const struct boot_check_callbacks callbacks = {
        .on_line = on_board_line, .on_note = on_note, .on_verdict = on_verdict, .userdata = job};
    struct boot_check_config config = {.loop = job->config.loop,
                                       .settings = job->config.log,
                                       .address = endpoints_get(&job->endpoints, job->endpoint),
                                       .echo = &job->echo,
                                       .restart_us =
                                           job->image ? job_policy_restart_us(job->image) : 0,
                                       .is_gone = seen == OTA_CAUSE_GONE,
                                       .has_returned = seen == OTA_CAUSE_RESTARTED};
    if (job->is_verdict_lost)
        config.restart_us = BOOT_CHECK_RESTART_UNKNOWN;
    job->follow = boot_check_start(&config, &callbacks);
    if (job->follow)
        return true;

    conclude(job, phase_of_follow(job),
             &(struct ota_failure){.error = OTA_E_INTERNAL, .message = "out of memory"});
    return false;
}

static void note_what_is_expected(struct job *job, const char *so_far, enum ota_cause seen)
{
    char message[OTA_MESSAGE_MAX + 128];
    const struct log_settings *settings = job->config.log;

    if (settings->expect)
        snprintf(message, sizeof message,
                 "%s; now its log is to say what is expected, within %.3g s", so_far,
                 (double)settings->expect_timeout_us / 1e6);
    else
        snprintf(message, sizeof message, "%s; now it is to %scome back, within %.3g s", so_far,
                 seen == OTA_CAUSE_GONE ? "" : "go off the network and ",
                 (double)settings->online_us / 1e6);
    note(job, OTA_PHASE_PROOF, message);
}

/* The result comes at once, unless proof is wanted. */
static void follow_up(struct job *job, enum ota_phase phase, const struct ota_failure *success)
{
    const struct log_settings *settings = job->config.log;
    job->confirmed_us = loop_now_us();
    if (!start_follow(job, OTA_CAUSE_NONE))
        return;
    if (!boot_check_is_proof_wanted(settings))
        emit_result(job, phase, success, 0);
    else
        note_what_is_expected(job, "the board has confirmed the upload", OTA_CAUSE_NONE);
}

/* The board's verdict was lost: the proof decides instead. */
static void start_proof(struct job *job, const struct ota_failure *unknown)
{
    job->confirmed_us = loop_now_us();
    job->is_verdict_lost = true;
    bool is_proven = unknown->cause == OTA_CAUSE_RESTARTED && !job->config.log->expect;
    if (start_follow(job, unknown->cause) && !is_proven)
        note_what_is_expected(job, unknown->message, unknown->cause);
}

/* The board that answered before is asked first. */
static void set_endpoints(struct job *job, const struct endpoint_port *ports, size_t count)
{
    struct endpoints *endpoints = &job->endpoints;

    _Static_assert(sizeof endpoints->addresses == sizeof job->found.addresses, "all have a place");
    endpoints->address_count = job->found.count;
    memcpy(endpoints->addresses, job->found.addresses, sizeof job->found.addresses);
    endpoints->port_count = count;
    memcpy(endpoints->ports, ports, count * sizeof *ports);
    if (job->answered.any.sa_family != AF_UNSPEC)
        endpoints_prefer(endpoints, &job->answered);
}

/* Only the log is wanted. */
static void follow_only(struct job *job)
{
    const struct endpoint_port port = {job->config.log->monitor_port, "the port of the log"};

    set_endpoints(job, &port, 1);
    if (!job->callbacks.on_endpoints(&job->endpoints, job->callbacks.userdata)) {
        job->callbacks.on_done(job->callbacks.userdata);
        return;
    }
    job->source = job->found.source;
    take_endpoint(job, 0);
    if (start_follow(job, OTA_CAUSE_NONE) && !boot_check_is_proof_wanted(job->config.log))
        job->callbacks.on_log(job->callbacks.userdata);
}

bool job_say(struct job *job, const char *line, size_t length)
{
    return job->follow && boot_check_say(job->follow, line, length);
}

void job_end_log(struct job *job, bool is_time_over)
{
    struct ota_failure result = {.error = OTA_OK};
    const char *reason = "";

    if (job->image || !job->follow)
        return;

    bool was_reached = boot_check_was_connected(job->follow, &reason);
    if (!was_reached && is_time_over)
        ota_fail(&result, OTA_E_UNPROVEN, "its log was never reached: %s", reason);
    else if (!was_reached)
        ota_fail(&result, OTA_OK, "its log was never reached, but that was not to be proven");
    emit_result(job, OTA_PHASE_LOG, &result, 0);
}

static void open_session(struct job *job);

/* A board that has rejected an answer is idle again. Another password is tried by the user's will,
 * so the answers that the board may have count from here. */
static void ask_again(struct job *job)
{
    emit_event(job, &(struct ota_event){.type = OTA_EVENT_NOTE,
                                        .phase = OTA_PHASE_AUTHENTICATE,
                                        .message = "the board rejected the password that was typed",
                                        .is_important = true});
    trust_begin_again(&job->trust);
    open_session(job);
}

/* Whether the user is to type another password. */
static bool is_asked_again(struct job *job, const struct ota_failure *failure)
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
        follow_up(job, phase, &result);
    else if (result.error == OTA_E_UNKNOWN &&
             job_policy_can_prove(job->config.log, family_of_board(job)))
        start_proof(job, &result);
    else if (is_asked_again(job, &result))
        ask_again(job);
    else
        conclude(job, phase, &result);
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
        .min_auth = job->config.assignment->min_auth,
        .announces_password = job->found.password == TXT_YES,
    };

    if (image_fit_sha256_challenge(job->sha256_objection, job->image) == IMAGE_FIT_REFUSED)
        config.sha256_objection = job->sha256_objection;
    return config;
}

/* Whether another session waits for a connection that might be this one's. */
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
        take_endpoint(job, endpoint);
}

/* Whether the image may go to this board; says once what speaks against it. */
static bool screen_for_board(struct job *job, struct ota_failure *failure)
{
    const struct kind kind = kind_of(job);
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
    note(job, OTA_PHASE_RESOLVE, message);
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
        conclude(job, OTA_PHASE_RESOLVE,
                 &(struct ota_failure){.error = OTA_E_INTERNAL, .message = "out of memory"});
}

static void start_session(struct job *job)
{
    const struct kind kind = kind_of(job);
    struct endpoint_port ports[ENDPOINTS_PORTS_MAX];
    struct ota_failure failure;

    set_endpoints(job, ports,
                  job_policy_ports(ports, job->config.assignment, job->found.port, &kind,
                                   job->config.upload->force));
    if (!choose_variant(job, &kind, &failure)) {
        conclude(job, OTA_PHASE_RESOLVE, &failure);
        return;
    }
    if (!job->callbacks.on_endpoints(&job->endpoints, job->callbacks.userdata)) {
        job->callbacks.on_done(job->callbacks.userdata);
        return;
    }
    if (is_peer_taken(job)) {
        rest_before_retry(job, OTA_PHASE_RESOLVE, "", TURN_US, false);
        return;
    }
    job->source = job->found.source;
    take_endpoint(job, 0);
    open_session(job);
}

/* The address that can be reached best comes first. */
static void sort_addresses(struct resolution *found)
{
    struct ifaddrs *interfaces = NULL;

    if (found->count < 2)
        return;
    if (getifaddrs(&interfaces) < 0)
        diag_debug("which networks this computer is in is not known: %s", strerror(errno));
    networks_sort(found->addresses, found->count, interfaces);
    freeifaddrs(interfaces);
}

/* Without a new announcement, the one from an earlier attempt still holds for the same address. */
static void take_resolution(struct job *job, const struct resolution *resolution)
{
    const struct resolution before = job->found;

    job->found = *resolution;
    sort_addresses(&job->found);
    if (job->found.port || !before.port ||
        !address_equal(&job->found.addresses[0], &before.addresses[0]))
        return;
    if (!job->found.claims.count)
        job->found.claims = before.claims;
    job->found.port = before.port;
    job->found.password = before.password;
    memcpy(job->found.type, before.type, sizeof before.type);
    memcpy(job->found.instance, before.instance, sizeof before.instance);
}

static void on_resolved(const struct resolution *resolution, const struct ota_failure *failure,
                        void *userdata)
{
    struct job *job = userdata;
    struct ota_failure result = {0};

    if (failure)
        result = *failure;
    if (resolution)
        take_resolution(job, resolution);
    else if (result.error == OTA_E_AMBIGUOUS)
        job->found.count = 0;
    else
        job->found.source = "found earlier";
    resolver_free(job->resolver);
    job->resolver = NULL;
    if (job->found.count && !job->image)
        follow_only(job);
    else if (job->found.count && screen_for_board(job, &result))
        start_session(job);
    else
        conclude(job, OTA_PHASE_RESOLVE, &result);
}

/* The name is resolved anew each time: a board that has restarted may have another address. If it
 * is not found any more, the one that it had is as good as any. */
void job_start(struct job *job)
{
    const struct target *target = &job->config.assignment->target;

    if (!job->start_us) {
        job->start_us = loop_now_us();
        if (job->config.fleet->deadline_us && job->image)
            job->deadline_us = job->start_us + job->config.fleet->deadline_us;
        arm_timer(job);
        emit_event(job, &(struct ota_event){.type = OTA_EVENT_START, .phase = OTA_PHASE_RESOLVE});
    }
    job->attempt += job->is_counted;
    job->connected_us = 0;
    job->acknowledged = 0;
    job->resolver = resolver_start(job->config.loop, job->config.mdns, target, !target->port,
                                   RESOLVE_US, on_resolved, job);
    if (!job->resolver) {
        struct ota_failure failure;
        ota_fail(&failure, OTA_E_INTERNAL, "cannot look for the board: %s", strerror(errno));
        conclude(job, OTA_PHASE_RESOLVE, &failure);
    }
}

/* -- ends from outside: a signal, the deadline -- */

/* What is left behind on the board. */
static const char *describe_leftovers(const struct job *job)
{
    if (job->follow && job->image)
        return job->is_verdict_lost ? "; the whole image had been sent, but the verdict was lost"
                                    : "; the board had confirmed the upload";
    if (job->session && session_all_sent(job->session))
        return "; the whole image had been sent, so the board may install it";
    if (!job->session || !job->connected_us)
        return "";
    return job->config.upload->command == OTA_COMMAND_SKETCH
               ? "; the board does not start a sketch that was cut short"
               : "; until an upload succeeds the board's filesystem may be unusable";
}

static enum ota_phase current_phase(const struct job *job)
{
    if (job->session)
        return session_phase(job->session);
    if (job->follow)
        return phase_of_follow(job);
    return job->resolver ? OTA_PHASE_RESOLVE : job->paused;
}

void job_describe(const struct job *job, struct ota_standing *standing)
{
    *standing = (struct ota_standing){.board = job->name,
                                      .phase = current_phase(job),
                                      .reason = echo_hide(&job->echo, job->last),
                                      .bytes = job->acknowledged,
                                      .total = job->image ? job->image->size : 0};
    if (job->connected_us)
        standing->transfer_us = loop_now_us() - job->connected_us;
}

/* Closes what is open at once, and emits the result. */
static void stop_attempt(struct job *job, enum ota_phase phase, const struct ota_failure *failure,
                         int signal_number)
{
    session_free(job->session);
    job->session = NULL;
    boot_check_free(job->follow);
    job->follow = NULL;
    resolver_free(job->resolver);
    job->resolver = NULL;
    emit_result(job, phase, failure, signal_number);
}

void job_interrupt(struct job *job, int signal_number)
{
    struct ota_failure failure;
    ota_fail(&failure, OTA_E_INTERRUPTED, "interrupted by %s%s",
             job_policy_signal_name(signal_number), describe_leftovers(job));
    stop_attempt(job, current_phase(job), &failure, signal_number);
}

/* The result of an upload at its deadline: an image that was sent completely may be installed, and
 * a confirmed upload stays confirmed. */
static void judge_by_deadline(const struct job *job, struct ota_failure *failure)
{
    const double seconds = (double)job->config.fleet->deadline_us / 1e6;
    struct ota_failure proof;

    if (job->follow) {
        ota_fail(&proof, OTA_E_UNPROVEN, "the %.3g s of --deadline were over before the proof came",
                 seconds);
        add_verdict(job, failure, &proof);
    } else if (job->session && session_all_sent(job->session)) {
        ota_fail(failure, OTA_E_UNKNOWN,
                 "all %zu bytes were sent, but the board's verdict did not come in the %.3g s of "
                 "--deadline",
                 job->image->size, seconds);
    } else {
        ota_fail(failure, OTA_E_DEADLINE,
                 "the upload did not end in the %.3g s of --deadline%s%s%s", seconds,
                 describe_leftovers(job), *job->last ? "; before that: " : "", job->last);
    }
}

static void expire(struct job *job)
{
    struct ota_failure failure;
    judge_by_deadline(job, &failure);
    stop_attempt(job, current_phase(job), &failure, 0);
    job->callbacks.on_done(job->callbacks.userdata);
}

static void on_job_timer(void *userdata)
{
    struct job *job = userdata;
    int64_t now_us = loop_now_us();

    if (job->deadline_us && now_us >= job->deadline_us) {
        expire(job);
        return;
    }
    bool is_ready = job->ready_us && now_us >= job->ready_us;
    if (is_ready)
        job->ready_us = 0;
    arm_timer(job);
    if (is_ready)
        job->callbacks.on_ready(job->callbacks.userdata);
}

struct job *job_new(const struct job_config *config, const struct job_callbacks *callbacks)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    *job = (struct job){.config = *config,
                        .callbacks = *callbacks,
                        .password = config->assignment->password,
                        .image = config->assignment->image,
                        .is_counted = true};
    escape_string(job->name, sizeof job->name, config->assignment->target.name);
    if (config->upload->lockstep && job->image)
        job->block = job_policy_block(job->config.upload, job->image);
    loop_timer_init(&job->timer, config->loop, on_job_timer, job);
    if (!echo_learn(&job->echo, job->password, NULL)) {
        echo_clear(&job->echo);
        free(job);
        return NULL;
    }
    return job;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    resolver_free(job->resolver);
    session_free(job->session);
    boot_check_free(job->follow);
    loop_timer_stop(&job->timer);
    echo_clear(&job->echo);
    free(job);
}
