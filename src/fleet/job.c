/*
 * job.c: one board: resolve its name, upload, and retry if that can cure the failure. job_upload.c
 * is the upload, job_proof.c the log and the proof of boot after it. Opens no socket and prints
 * nothing.
 */
#include "fleet/job_internal.h"

#include "base/diag.h"
#include "base/ending_signal.h"
#include "base/error.h"
#include "base/text.h"
#include "base/units.h"
#include "discovery/board_list.h"
#include "discovery/finding.h"
#include "discovery/networks.h"
#include "fleet/job_policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENT_MAX = UNITS_TEXT_MAX + 32 };

static const int64_t RESOLVE_US = SECONDS(10);
static const int64_t LOOK_AGAIN_US = SECONDS(1);  /* to the next search for an absent board */
static const int64_t TURN_US = MILLISECONDS(250); /* pause while another job has its turn */

/* Each text of the board was checked when it came in. This checks the composed message, which may
 * join several texts and announced names. */
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

void job_emit_event(struct job *job, const struct ota_event *event)
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
    complete.target = job->target;
    complete.target_port = assignment_target_port(job->config.assignment);
    complete.image = job->image;
    complete.protocol = job->image ? job->config.assignment->protocol->name : NULL;
    if (!complete.address) {
        complete.address = *job->address ? job->address : NULL;
        complete.port = job->port;
    }
    complete.addresses = job->found.addresses;
    complete.address_count = job->found.count;
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

void job_set_endpoint(struct job *job, size_t endpoint)
{
    const struct address address = endpoints_get(&job->endpoints, endpoint);

    job->endpoint = endpoint;
    address_text(job->address, &address);
    job->port = address_port(&address);
    job->port_source = endpoints_port_source(&job->endpoints, endpoint);
}

void job_choose_endpoint(struct job *job, size_t endpoint)
{
    job_set_endpoint(job, endpoint);
    job_emit_event(job,
                   &(struct ota_event){.type = OTA_EVENT_RESOLVED, .phase = OTA_PHASE_RESOLVE});
}

uint16_t job_known_port(const struct job *job)
{
    const uint16_t given = job->config.assignment->target.port;
    const struct upload_protocol *protocol = job->config.assignment->protocol;
    const struct board board = {.service = job->found.service, .port = job->found.port};

    if (given)
        return given;
    if (protocol->is_announced || (service_tells_port(board.service) && protocol->serves(&board)))
        return job->found.port;
    return 0;
}

uint16_t job_telling_port(const struct job *job)
{
    return upload_ports_tell_chips(job->config.assignment->protocol) ? job_known_port(job) : 0;
}

struct kind job_kind(const struct job *job)
{
    const char *names[] = {job->found.instance, job->config.assignment->target.name};
    struct kind kind;

    kind_find(&kind, job->found.type, names, sizeof names / sizeof *names);
    kind_add_platform(&kind, job->found.esphome.platform);
    return kind;
}

const struct kind_family *job_family(const struct job *job)
{
    const struct kind kind = job_kind(job);

    return job->image ? job_policy_family(&kind, job->image, job->port) : NULL;
}

static void arm_timer(struct job *job)
{
    int64_t due_us = job->ready_us;
    if (job->deadline_us && (!due_us || job->deadline_us < due_us))
        due_us = job->deadline_us;

    if (due_us)
        loop_timer_start(&job->timer, due_us - loop_now_us());
    else
        loop_timer_stop(&job->timer);
}

void job_emit_result(struct job *job, enum ota_phase phase, const struct ota_failure *failure,
                     int signal_number)
{
    const struct kind_family *family = job_family(job);
    const bool is_confirmed = failure->error == OTA_OK && job->image && !job->is_verdict_lost;

    if (failure->error == OTA_E_IMAGE) /* by the board's announcement, or by its challenge */
        phase = OTA_PHASE_IMAGE;
    job->ready_us = job->deadline_us = 0;
    arm_timer(job);
    job_emit_event(
        job, &(struct ota_event){
                 .type = OTA_EVENT_RESULT,
                 .phase = phase,
                 .failure = failure,
                 .chips = family ? family->chips : "",
                 .is_verdict_lost = job->is_verdict_lost,
                 .verified = is_confirmed ? upload_proof_name(upload_proof(job->upload)) : NULL,
                 .exit_status = ota_error_exit_status(failure->error, signal_number)});
}

void job_rest(struct job *job, enum ota_phase phase, const struct ota_failure *why,
              int64_t pause_us, bool is_counted)
{
    job->last = *why;
    job->is_counted = is_counted;
    job->is_heard = false;
    job->paused = job->ended_in = phase;
    job->ready_us = loop_now_us() + pause_us;
    arm_timer(job);
    job->callbacks.on_rest(job->callbacks.userdata);
}

void job_note(struct job *job, enum ota_phase phase, const char *message)
{
    job_emit_event(job,
                   &(struct ota_event){.type = OTA_EVENT_NOTE, .phase = phase, .message = message});
}

void job_set_endpoints(struct job *job, const struct endpoint_port *ports, size_t count)
{
    struct endpoints *endpoints = &job->endpoints;

    _Static_assert(sizeof endpoints->addresses == sizeof job->found.addresses, "all have a place");
    endpoints->address_count = job->found.count;
    memcpy(endpoints->addresses, job->found.addresses, sizeof job->found.addresses);
    endpoints->port_count = count;
    memcpy(endpoints->ports, ports, count * sizeof *ports);
    if (job->answered.any.sa_family != AF_UNSPEC)
        endpoints_prefer(endpoints, &job->answered);
    if (job->upload)
        upload_narrow(job->upload, endpoints);
}

void job_wait_for_turn(struct job *job)
{
    job_rest(job, OTA_PHASE_RESOLVE, &(struct ota_failure){.error = OTA_OK}, TURN_US, false);
}

static void note_fewer_addresses(struct job *job)
{
    if (job->attempt > 1)
        return;
    job_emit_event(job, &(struct ota_event){.type = OTA_EVENT_NOTE,
                                            .phase = OTA_PHASE_RESOLVE,
                                            .message = "another board was found at one of its "
                                                       "addresses; only the others are tried",
                                            .is_important = true});
}

bool job_claim_endpoints(struct job *job)
{
    const size_t addresses = job->endpoints.address_count;

    switch (job->callbacks.on_endpoints(&job->endpoints, finding_common_host(&job->found),
                                        job->callbacks.userdata)) {
    case JOB_CLAIM_GRANTED:
        if (job->endpoints.address_count < addresses)
            note_fewer_addresses(job);
        return true;
    case JOB_CLAIM_DENIED:
        job->callbacks.on_done(job->callbacks.userdata);
        break;
    case JOB_CLAIM_UNDECIDED:
        job_wait_for_turn(job);
        break;
    }
    return false;
}

static void try_again(struct job *job, enum ota_phase phase, const struct ota_failure *failure)
{
    char message[OTA_MESSAGE_MAX + 128];
    int64_t wait_us = job_policy_pause_us(job->attempt);

    if (!job_policy_is_absence(failure->error))
        job->broken = (struct broken){*failure, phase, job->acknowledged};
    const char *change = job->upload ? upload_adapt(job->upload, failure) : "";
    if (failure->error == OTA_E_NO_CONNECTION && failure->cause != OTA_CAUSE_OTHER_ADDRESS)
        snprintf(message, sizeof message,
                 "%s: %s; a firewall drops its packets, or they were lost; trying again in %.0f s",
                 ota_phase_name(phase), failure->message, (double)wait_us / 1e6);
    else
        snprintf(message, sizeof message, "%s: %s; attempt %u of %u%s%s%s in %.0f s",
                 ota_phase_name(phase), failure->message, job->attempt + 1,
                 job->config.fleet->retries + 1, *change ? ", " : "", change, *change ? "," : "",
                 (double)wait_us / 1e6);
    job_note(job, phase, message);
    job_rest(job, phase, failure, wait_us, true);
}

/* Sends the image uncompressed. That is no new attempt, as the board is not at fault, and begins
 * like the first one. */
static void fall_back(struct job *job, enum ota_phase phase, const struct ota_failure *failure)
{
    char message[OTA_MESSAGE_MAX + 128];
    int64_t wait_us = job_policy_pause_us(1);

    snprintf(message, sizeof message,
             "%s: %s; its core does not unpack compressed images; sending this one uncompressed in "
             "%.0f s",
             ota_phase_name(phase), failure->message, (double)wait_us / 1e6);
    job->image = job->image->plain;
    job->broken = (struct broken){.failure.error = OTA_OK};
    job_note(job, phase, message);
    job->acknowledged = 0;
    job_emit_event(job, &(struct ota_event){.type = OTA_EVENT_START, .phase = OTA_PHASE_RESOLVE});
    job_rest(job, phase, failure, wait_us, false);
}

/* --wait: the board may be asleep or off. */
static void look_for_board_again(struct job *job, enum ota_phase phase,
                                 const struct ota_failure *failure)
{
    char message[OTA_MESSAGE_MAX + 128];
    int64_t pause_us = LOOK_AGAIN_US;

    if (!job->is_wait_told) {
        snprintf(message, sizeof message, "%s: %s; waiting for the board, %.3g s at most",
                 ota_phase_name(phase), failure->message, (double)job->config.fleet->wait_us / 1e6);
        job_note(job, phase, message);
    }
    job->is_wait_told = true;
    job->look_until_us = job->start_us + job->config.fleet->wait_us;
    if (pause_us > job->look_until_us - loop_now_us())
        pause_us = job->look_until_us - loop_now_us();
    job_rest(job, phase, failure, pause_us, false);
}

/* If the board no longer answers, the failure of an earlier transfer is more informative. */
void job_end(struct job *job, enum ota_phase phase, const struct ota_failure *failure)
{
    struct ota_failure result = *failure;
    const struct broken *broken = &job->broken;

    assignment_explain(job->config.assignment, &result);
    if (failure->error == OTA_E_PASSWORD_NEEDED && job->is_withheld) {
        ota_fail(&result, failure->error,
                 "the board asks for a password, and the one that was typed is not tried here, as "
                 "another board has rejected it");
        result.cause = OTA_CAUSE_TYPED_REJECTED;
    } else if (failure->error == OTA_E_PASSWORD_NEEDED && job->was_rejected) {
        ota_fail(&result, failure->error,
                 "the board rejected the password that was typed, and no other was given");
    }
    if (job_policy_is_absence(failure->error) && broken->failure.error) {
        ota_fail(&result, broken->failure.error, "%s; then: %s", broken->failure.message,
                 failure->message);
        result.cause = broken->failure.cause;
        job->acknowledged = broken->acknowledged;
        phase = broken->phase;
    } else if (job_policy_is_absence(failure->error) && job->config.fleet->wait_us) {
        ota_fail(&result, failure->error, "%s; the %.3g s of --wait are over", failure->message,
                 (double)job->config.fleet->wait_us / 1e6);
        result.cause = failure->cause;
        result.is_waited_out = true;
    }
    if (result.error == OTA_E_NOT_LISTENING && result.cause == OTA_CAUSE_NONE &&
        job->endpoints.ports->is_of_image)
        result.cause = OTA_CAUSE_PORT_OF_IMAGE;
    if (result.cause == OTA_CAUSE_NO_SPACE && job->image && image_is_compressed(job->image) &&
        job->config.upload->command == OTA_COMMAND_SKETCH)
        result.cause = OTA_CAUSE_NO_SPACE_COMPRESSED;
    job_emit_result(job, phase, &result, 0);
    job->callbacks.on_done(job->callbacks.userdata);
}

/* Notes since when nobody has had the board's address. Returns for how long; 0: somebody may have
 * it. */
static int64_t measure_absence(struct job *job, const struct ota_failure *failure)
{
    if (failure->cause != OTA_CAUSE_NOBODY)
        job->gone_us = 0;
    else if (!job->gone_us)
        job->gone_us = job->began_us;
    return job->gone_us ? loop_now_us() - job->gone_us : 0;
}

void job_conclude(struct job *job, enum ota_phase phase, const struct ota_failure *failure)
{
    int64_t gone_us = measure_absence(job, failure);
    int64_t wait_us = job->config.fleet->wait_us;
    bool is_waited_for =
        wait_us && job_policy_is_absence(failure->error) && !job->broken.failure.error;

    if (is_waited_for && loop_now_us() - job->start_us < wait_us)
        look_for_board_again(job, phase, failure);
    else if (job_policy_wants_plain(job->image, failure))
        fall_back(job, phase, failure);
    else if (!is_waited_for && job->attempt <= job->config.fleet->retries &&
             job_policy_is_worth_another(failure, job->broken.failure.error, job->attempt, gone_us))
        try_again(job, phase, failure);
    else if (!job_looks_for_other_protocol(job, phase, failure))
        job_end(job, phase, failure);
}

void job_conclude_no_memory(struct job *job, enum ota_phase phase)
{
    struct ota_failure failure;

    ota_fail_no_memory(&failure);
    job_conclude(job, phase, &failure);
}

/* Puts the address that can be reached best first. */
static void sort_addresses(struct resolution *found)
{
    struct ifaddrs *interfaces = NULL;

    if (found->count < 2)
        return;
    if (getifaddrs(&interfaces) < 0)
        diag_debug("the networks of this computer are unknown: %s", strerror(errno));
    networks_sort(found->addresses, found->count, interfaces);
    freeifaddrs(interfaces);
}

/* An announcement from an earlier attempt still holds if the address is the same and there is no
 * new one. */
static void keep_resolution(struct job *job, const struct resolution *resolution)
{
    const struct resolution before = job->found;

    job->found = *resolution;
    sort_addresses(&job->found);
    if (job->found.is_cut && !before.is_cut)
        job_note(job, OTA_PHASE_RESOLVE, RESOLVE_CUT_TRIED);
    if (job->found.port || !before.port ||
        !address_equal(&job->found.addresses[0], &before.addresses[0]))
        return;
    if (!job->found.claims.count)
        job->found.claims = before.claims;
    if (!job->found.host[0])
        memcpy(job->found.host, before.host, sizeof before.host);
    job->found.port = before.port;
    job->found.password = before.password;
    memcpy(job->found.type, before.type, sizeof before.type);
    memcpy(job->found.instance, before.instance, sizeof before.instance);
    job->found.service = before.service;
    job->found.esphome = before.esphome;
}

/* How long the name may be looked for: --wait also bounds each search but the first. */
static int64_t search_limit_us(const struct job *job)
{
    int64_t left_us = job->look_until_us - loop_now_us();

    if (!job->look_until_us || left_us > RESOLVE_US)
        return RESOLVE_US;
    return left_us > 0 ? left_us : 0;
}

/* A search that --wait has cut short says less than the complete one before it. */
static void prefer_complete_search(const struct job *job, struct ota_failure *failure)
{
    if (failure->error == OTA_E_NOT_FOUND && job->look_until_us &&
        loop_now_us() >= job->look_until_us)
        *failure = job->last;
}

static void suggest_similar(const struct job *job, struct ota_failure *failure)
{
    const char *similar = job->config.assignment->similar;

    if (failure->error == OTA_E_NOT_FOUND && similar)
        text_append(failure->message, sizeof failure->message, "; the configuration has %s",
                    similar);
}

static void on_resolved(const struct resolution *resolution, const struct ota_failure *failure,
                        void *userdata)
{
    struct job *job = userdata;
    struct ota_failure result = {0};

    if (failure)
        result = *failure;
    suggest_similar(job, &result);
    if (resolution)
        keep_resolution(job, resolution);
    else if (result.error == OTA_E_AMBIGUOUS)
        job->found.count = 0;
    else
        job->found.source = "found earlier";
    prefer_complete_search(job, &result);
    job->look_until_us = 0;
    resolver_free(job->resolver);
    job->resolver = NULL;
    if (job->found.count && !job->image && job->config.fleet->is_dry_run)
        job_end_dry_run(job);
    else if (job->found.count && !job->image)
        job_follow_log(job);
    else if (job->found.count)
        job_start_upload(job);
    else
        job_conclude(job, OTA_PHASE_RESOLVE, &result);
}

/* Whether the board's version is read after the upload, and compared with the one before. */
static bool is_version_read(const struct job *job)
{
    return job->config.log->online_us || job->config.upload->expect_version;
}

/* The port is announced, or depends on the chip that is. If the given port does not fit the image,
 * only the announcement shows whether the chip is another one or the port is unusual. An ESP8266
 * would confirm the wrong image and not start it. */
static enum announcement_use use_of_announcement(const struct job *job)
{
    const struct assignment *assignment = job->config.assignment;
    const struct upload_protocol *protocol = assignment->protocol;
    const uint16_t given = assignment->target.port;
    const struct kind kind = job_kind(job);
    char reason[IMAGE_FIT_REASON_MAX];

    if (given && assignment->image && upload_ports_tell_chips(protocol) &&
        image_fit_board(reason, assignment->image, &kind, given) != IMAGE_FIT_SUITS)
        return ANNOUNCEMENT_DECIDES;
    if (!given && (protocol->is_announced || upload_ports_tell_chips(protocol)))
        return ANNOUNCEMENT_PORT;
    return protocol->reads_announcement && is_version_read(job) ? ANNOUNCEMENT_PORT
                                                                : ANNOUNCEMENT_OPTIONAL;
}

/* Resolves the name before each attempt, as a board may have another address after a restart. If
 * the board is not found again, on_resolved() keeps the old address. */
static void look_up_board(struct job *job)
{
    const struct assignment *assignment = job->config.assignment;
    const struct resolver_config config = {.loop = job->config.loop,
                                           .mdns = job->config.mdns,
                                           .target = &assignment->target,
                                           .services = assignment->protocol->services,
                                           .use = use_of_announcement(job),
                                           .timeout_us = search_limit_us(job),
                                           .source = &job->config.upload->source,
                                           .on_done = on_resolved,
                                           .userdata = job};

    job->resolver = resolver_start(&config);
    if (!job->resolver) {
        struct ota_failure failure;
        ota_fail_call(&failure, "cannot look for the board");
        job_conclude(job, OTA_PHASE_RESOLVE, &failure);
    }
}

void job_start(struct job *job)
{
    if (!job->start_us) {
        job->start_us = loop_now_us();
        if (job->config.fleet->deadline_us && job->image)
            job->deadline_us = job->start_us + job->config.fleet->deadline_us;
        arm_timer(job);
        job_emit_event(job,
                       &(struct ota_event){.type = OTA_EVENT_START, .phase = OTA_PHASE_RESOLVE});
    }
    job->attempt += job->is_counted;
    job->connected_us = 0;
    job->acknowledged = 0;
    look_up_board(job);
}

/* -- ends from outside: a signal, the deadline -- */

/* The board has the image. A version that is expected is read within the upload, or by
 * job_proof.c. */
static bool is_proof_awaited(const struct job *job)
{
    return job->image && (job->boot_check || (upload_is_running(job->upload) &&
                                              upload_phase(job->upload) == OTA_PHASE_PROOF));
}

/* Describes the state in which the board is left. */
static const char *describe_leftovers(const struct job *job)
{
    if (is_proof_awaited(job))
        return job->is_verdict_lost ? "; the whole image had been sent, but the verdict was lost"
               : upload_proof(job->upload) == UPLOAD_PROOF_RECEIVED
                   ? "; the board had received the image"
                   : "; the board had confirmed the upload";
    if (upload_is_running(job->upload) && upload_all_sent(job->upload))
        return "; the whole image had been sent, so the board may install it";
    if (!upload_is_running(job->upload) || !job->connected_us)
        return "";
    return job->config.upload->command == OTA_COMMAND_SKETCH
               ? "; the board does not start a sketch that was cut short"
               : "; until an upload succeeds the board's filesystem may be unusable";
}

static enum ota_phase current_phase(const struct job *job)
{
    if (upload_is_running(job->upload))
        return upload_phase(job->upload);
    if (job->boot_check)
        return job_check_phase(job);
    return job->resolver ? OTA_PHASE_RESOLVE : job->paused;
}

void job_describe(const struct job *job, struct ota_standing *standing)
{
    *standing = (struct ota_standing){.board = job->name,
                                      .phase = current_phase(job),
                                      .attempt = job->attempt,
                                      .attempts = job->config.fleet->retries + 1,
                                      .ended_in = job->ended_in,
                                      .reason = echo_hide(&job->echo, job->last.message),
                                      .bytes = job->acknowledged,
                                      .total = job->image ? job->image->size : 0};
    if (job->ready_us && job->is_counted)
        standing->next_attempt = job->attempt + 1;
    if (job->ready_us)
        standing->pause_left_us = job->ready_us - loop_now_us();
    if (job->connected_us)
        standing->transfer_us = loop_now_us() - job->connected_us;
    standing->is_waited_for = job->config.fleet->wait_us && standing->phase <= OTA_PHASE_ACCEPT &&
                              !job->is_heard && !job->connected_us && !job->broken.failure.error;
    standing->wait_left_us = job->start_us + job->config.fleet->wait_us - loop_now_us();
}

/* Closes what is open at once, and emits the result. */
static void stop_attempt(struct job *job, enum ota_phase phase, const struct ota_failure *failure,
                         int signal_number)
{
    upload_stop(job->upload);
    boot_check_free(job->boot_check);
    job->boot_check = NULL;
    resolver_free(job->resolver);
    job->resolver = NULL;
    job_stop_looking(job);
    job_emit_result(job, phase, failure, signal_number);
}

/* Whether the board has the image, or may have it: then sending it again is not the next step. */
static enum ota_cause find_interruption(const struct job *job)
{
    if (is_proof_awaited(job) && !job->is_verdict_lost)
        return OTA_CAUSE_PROOF_CUT_SHORT;
    return is_proof_awaited(job) || (upload_is_running(job->upload) && upload_all_sent(job->upload))
               ? OTA_CAUSE_VERDICT_CUT_SHORT
               : OTA_CAUSE_NONE;
}

void job_interrupt(struct job *job, int signal_number)
{
    struct ota_failure failure;
    ota_fail(&failure, OTA_E_INTERRUPTED, "interrupted by %s%s", ending_signal_name(signal_number),
             describe_leftovers(job));
    failure.cause = find_interruption(job);
    stop_attempt(job, current_phase(job), &failure, signal_number);
}

/* "; 44% of 290.6 KiB were sent": as far as the board's TCP has them; "" before that. */
static void describe_sent(char text[SENT_MAX], const struct job *job)
{
    char whole[UNITS_TEXT_MAX];

    *text = '\0';
    if (upload_is_running(job->upload) && job->connected_us)
        snprintf(text, SENT_MAX, "; %.0f%% of %s were sent",
                 (double)job->acknowledged * 100 / (double)job->image->size,
                 format_size(whole, job->image->size));
}

/* The result of an upload at its deadline: an image that was sent completely may be installed, and
 * a confirmed upload stays confirmed. */
static void judge_by_deadline(const struct job *job, struct ota_failure *failure)
{
    const double seconds = (double)job->config.fleet->deadline_us / 1e6;
    struct ota_failure proof;
    char sent[SENT_MAX];

    if (is_proof_awaited(job)) {
        ota_fail(&proof, OTA_E_UNPROVEN, "the %.3g s of --deadline were over before the proof came",
                 seconds);
        proof.cause = OTA_CAUSE_PROOF_LATE;
        job_add_verdict(job, failure, &proof);
    } else if (upload_is_running(job->upload) && upload_all_sent(job->upload)) {
        ota_fail(failure, OTA_E_UNKNOWN,
                 "all %zu bytes were sent, but the board's verdict did not come in the %.3g s of "
                 "--deadline",
                 job->image->size, seconds);
    } else {
        describe_sent(sent, job);
        ota_fail(failure, OTA_E_DEADLINE,
                 "the upload did not end in the %.3g s of --deadline%s%s%s%s", seconds, sent,
                 describe_leftovers(job), job->last.error ? "; before that: " : "",
                 job->last.message);
    }
}

static void end_at_deadline(struct job *job)
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
        end_at_deadline(job);
        return;
    }
    bool is_ready = job->ready_us && now_us >= job->ready_us;
    if (is_ready)
        job->ready_us = 0;
    arm_timer(job);
    if (is_ready)
        job->callbacks.on_ready(job->callbacks.userdata);
}

/* Returns false and fills in failure when that fails. */
static bool allocate_parts(struct job *job, struct ota_failure *failure)
{
    const unsigned char *key = job->config.assignment->encryption_key;
    char text[ASSIGNMENT_LABEL_MAX];

    /* Most names are far shorter than they may be, and there may be thousands of jobs. */
    job->name = strdup(assignment_label(text, job->config.assignment));
    job->target = strdup(assignment_target(text, job->config.assignment));
    if (!job->image) { /* no upload_start() hides the hashes of the password */
        if (!echo_learn(&job->echo, job->password, NULL, failure))
            return false;
    } else {
        job->upload = job_new_upload(job);
    }
    if (job->name && job->target && (job->upload || !job->image) &&
        (!key || echo_learn_key(&job->echo, key)))
        return true;
    ota_fail_no_memory(failure);
    return false;
}

struct job *job_new(const struct job_config *config, const struct job_callbacks *callbacks,
                    struct ota_failure *failure)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job) {
        ota_fail_no_memory(failure);
        return NULL;
    }
    *job = (struct job){.config = *config,
                        .callbacks = *callbacks,
                        .password = config->assignment->password,
                        .image = config->assignment->image,
                        .log = *config->log,
                        .is_counted = true};
    if (config->assignment->expect)
        job->log.expect = config->assignment->expect;
    job->config.log = &job->log;
    loop_timer_init(&job->timer, config->loop, on_job_timer, job);
    if (!allocate_parts(job, failure)) {
        job_free(job);
        return NULL;
    }
    return job;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    resolver_free(job->resolver);
    job_stop_looking(job);
    upload_free(job->upload);
    boot_check_free(job->boot_check);
    loop_timer_stop(&job->timer);
    echo_clear(&job->echo);
    free(job->name);
    free(job->target);
    free(job);
}
