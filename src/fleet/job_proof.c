/*
 * job_proof.c: what a job does after the board's confirmation, or without an upload: it follows the
 * board's log and waits for the proof of boot (boot_check.c).
 *
 * A success needs each proof that is demanded:
 *
 *                        upload confirmed                verdict lost
 *   --expect, --reject   boot check                      boot check; --expect stands in
 *   --online             boot check                      boot check; stands in if only a success
 *                                                        restarts the board
 *                                                        (job_policy_can_prove())
 *   --expect-version     read within the upload; with    read after the boot check; never stands
 *                        --online after the boot check   in
 *
 * With --online a version that is not expected is read, too, and only shows that the board runs
 * another image.
 */
#include "fleet/job_internal.h"

#include "base/ending_signal.h"
#include "base/error.h"
#include "boardlog/expect.h"

#include <errno.h>
#include <stdio.h>

enum ota_phase job_check_phase(const struct job *job)
{
    return job->image ? OTA_PHASE_PROOF : OTA_PHASE_LOG;
}

static void on_board_line(const struct line *line, void *userdata)
{
    job_emit_event(userdata, &(struct ota_event){.type = OTA_EVENT_LOG,
                                                 .phase = job_check_phase(userdata),
                                                 .line = line});
}

static void on_check_note(const char *message, void *userdata)
{
    job_note(userdata, job_check_phase(userdata), message);
}

void job_add_verdict(const struct job *job, struct ota_failure *result,
                     const struct ota_failure *proof)
{
    *result = *proof;
    if (job->is_verdict_lost)
        ota_prefix(result, "its verdict was lost, %s ", proof->error == OTA_OK ? "but" : "and");
    else if (job->image && proof->error != OTA_OK)
        ota_prefix(result, "%s, but ", upload_proof_text(upload_proof(job->upload)));
}

static void conclude_proof(struct job *job, const struct ota_failure *verdict)
{
    struct ota_failure result;

    job_add_verdict(job, &result, verdict);
    bool goes_on = boot_check_goes_on(job->config.log);
    if (!goes_on) {
        boot_check_free(job->boot_check);
        job->boot_check = NULL;
    }
    job_emit_result(job, job_check_phase(job), &result, 0);
    if (!goes_on)
        job->callbacks.on_done(job->callbacks.userdata);
}

/* A version that is not expected is only worth a line. */
static bool is_version_expected(const struct job *job)
{
    return job->image && job->config.upload->expect_version;
}

/* After the proofs of the boot check. */
static bool is_version_due(const struct job *job)
{
    return job->image &&
           (job->config.log->online_us || (job->is_verdict_lost && is_version_expected(job)));
}

static void fail_untold(struct ota_failure *proof, const char *reason)
{
    ota_fail(proof, OTA_E_UNPROVEN, "it did not tell its version: %s", reason);
    proof->cause = OTA_CAUSE_NO_VERSION;
}

static void on_check_verdict(const struct ota_failure *verdict, void *userdata)
{
    struct job *job = userdata;
    struct ota_failure proof = *verdict;

    if (verdict->error == OTA_OK && is_version_due(job)) {
        job->proven = *verdict;
        job->is_reading_back = upload_read_back(job->upload);
        if (job->is_reading_back)
            return;
        if (is_version_expected(job))
            fail_untold(&proof, "it could not be asked");
    }
    conclude_proof(job, &proof);
}

/* Whether the failure is more than that the version is not known: the board runs another one, or
 * whoever answers has no trusted certificate. */
static bool is_verdict(const struct ota_failure *told)
{
    return told->error == OTA_E_UNPROVEN || told->error == OTA_E_TLS;
}

void job_end_read_back(struct job *job, const struct ota_failure *told)
{
    struct ota_failure proof = job->proven;

    job->is_reading_back = false;
    if (is_verdict(told))
        proof = *told;
    else if (told->error == OTA_OK)
        ota_fail(&proof, OTA_OK, "%s; %s", job->proven.message, told->message);
    else if (is_version_expected(job))
        fail_untold(&proof, told->message);
    conclude_proof(job, &proof);
}

void job_judge_version(const struct job *job, struct ota_failure *result)
{
    struct ota_failure proof = *result;

    if (result->error == OTA_OK || result->error == OTA_E_UNPROVEN)
        return;
    if (!is_verdict(result))
        fail_untold(&proof, result->message);
    job_add_verdict(job, result, &proof);
}

/* seen: what is known already of the board's restart. False if memory ran out: the job has ended,
 * and may have been freed. */
static bool start_boot_check(struct job *job, enum ota_cause seen)
{
    const struct boot_check_callbacks callbacks = {.on_line = on_board_line,
                                                   .on_note = on_check_note,
                                                   .on_verdict = on_check_verdict,
                                                   .userdata = job};
    struct boot_check_config config = {.loop = job->config.loop,
                                       .settings = job->config.log,
                                       .address = endpoints_get(&job->endpoints, job->endpoint),
                                       .source = &job->config.upload->source,
                                       .echo = &job->echo,
                                       .restart_us =
                                           job->image ? upload_restart_us(job->upload) : 0,
                                       .is_gone = seen == OTA_CAUSE_GONE,
                                       .has_returned = seen == OTA_CAUSE_RESTARTED};
    if (!job->image) { /* no upload has shown which address is the board's */
        _Static_assert((int)BOARD_LOG_ADDRESSES_MAX >= (int)ENDPOINTS_ADDRESSES_MAX, "all fit");
        config.others = job->endpoints.addresses + 1;
        config.other_count = job->endpoints.address_count - 1;
    }
    if (job->is_verdict_lost)
        config.restart_us = BOOT_CHECK_RESTART_UNKNOWN;
    job->boot_check = boot_check_start(&config, &callbacks);
    if (job->boot_check)
        return true;

    job_conclude_no_memory(job, job_check_phase(job));
    return false;
}

static void note_awaited_proof(struct job *job, const char *so_far, enum ota_cause seen)
{
    char message[OTA_MESSAGE_MAX + 128];
    const struct log_settings *settings = job->config.log;
    const double expect_s = (double)settings->expect_timeout_us / 1e6;

    if (!settings->expect)
        snprintf(message, sizeof message, "%s; waiting at most %.3g s for it to %scome back",
                 so_far, (double)settings->online_us / 1e6,
                 seen == OTA_CAUSE_GONE ? "" : "go off the network and ");
    else if (expect_has_expected(settings->expect))
        snprintf(message, sizeof message, "%s; waiting at most %.3g s for the expected log lines",
                 so_far, expect_s);
    else
        snprintf(message, sizeof message, "%s; watching its log %.3g s for rejected lines", so_far,
                 expect_s);
    job_note(job, OTA_PHASE_PROOF, message);
}

/* The upload is over. */
static void begin_proof(struct job *job)
{
    job->confirmed_us = loop_now_us();
    job->callbacks.on_sent(job->callbacks.userdata);
}

void job_check_boot(struct job *job, enum ota_phase phase, const struct ota_failure *success)
{
    const struct log_settings *settings = job->config.log;
    begin_proof(job);
    if (!start_boot_check(job, OTA_CAUSE_NONE))
        return;
    if (!boot_check_is_proof_wanted(settings))
        job_emit_result(job, phase, success, 0);
    else
        note_awaited_proof(job, upload_proof_text(upload_proof(job->upload)), OTA_CAUSE_NONE);
}

void job_prove_instead(struct job *job, const struct ota_failure *unknown)
{
    begin_proof(job);
    job->is_verdict_lost = true;
    bool is_proven = unknown->cause == OTA_CAUSE_RESTARTED && !job->config.log->expect;
    if (start_boot_check(job, unknown->cause) && !is_proven)
        note_awaited_proof(job, unknown->message, unknown->cause);
}

void job_follow_log(struct job *job)
{
    const struct endpoint_port port = {.number = job->config.log->monitor_port,
                                       .source = "the port of the log"};

    job_set_endpoints(job, &port, 1);
    if (!job_claim_endpoints(job))
        return;
    job->source = job->found.source;
    job_choose_endpoint(job, 0);
    job->callbacks.on_found(0, job->callbacks.userdata);
    if (start_boot_check(job, OTA_CAUSE_NONE) && !boot_check_is_proof_wanted(job->config.log))
        job->callbacks.on_log(job->callbacks.userdata);
}

bool job_say(struct job *job, const char *line, size_t length)
{
    return job->boot_check && boot_check_say(job->boot_check, line, length);
}

void job_end_log(struct job *job, bool is_time_over, int signal_number)
{
    struct ota_failure result = {.error = OTA_OK};
    const char *reason = "";
    int number = 0;

    if (job->image || !job->boot_check)
        return;

    bool was_reached = boot_check_was_connected(job->boot_check, &reason, &number);
    if (signal_number) {
        ota_fail(&result, OTA_E_INTERRUPTED, "interrupted by %s%s%s",
                 ending_signal_name(signal_number),
                 was_reached ? "" : "; its log was never reached: ", was_reached ? "" : reason);
    } else if (!was_reached && is_time_over) {
        ota_fail(&result, OTA_E_UNPROVEN, "its log was never reached: %s", reason);
        if (number == ECONNREFUSED)
            result.cause = OTA_CAUSE_LOG_REFUSED;
        ota_blame_this_computer(&result, number);
        if (number == 0 || number == ETIMEDOUT || number == EHOSTUNREACH ||
            error_is_of_this_computer(number))
            job_explain_silence(job, &result);
    } else if (!was_reached) {
        ota_fail(&result, OTA_OK, "its log was never reached: %s", reason);
    }
    job_emit_result(job, OTA_PHASE_LOG, &result, signal_number);
}
