/*
 * cmd_upload.c: wires together what uploads, and logs, need: plan, loop, listener, fleet, keyboard.
 */
#include "cli/cmd_upload.h"

#include "base/diag.h"
#include "base/ending_signal.h"
#include "base/error.h"
#include "base/input.h"
#include "base/loop.h"
#include "boardlog/boot_check.h"
#include "cli/board_select.h"
#include "cli/keyboard.h"
#include "cli/options.h"
#include "cli/options_use.h"
#include "fleet/fleet.h"
#include "fleet/plan.h"
#include "output/countdown.h"
#include "output/report.h"
#include "upload/protocols.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct program {
    const struct options *options;
    struct report *report;
    struct plan plan;
    struct loop *loop;
    struct upload_service *services; /* a list: the protocols that the plan needs */
    struct mdns_client *mdns;
    struct fleet *fleet;
    struct keyboard *keyboard;
    struct log_settings log;    /* that of the options, for this report */
    struct loop_timer end;      /* of --monitor-for */
    struct loop_timer tick;     /* of the countdown of --wait */
    bool are_uploads_over;      /* only logs are still followed, */
    bool are_logs_given_up;     /* and not even that, as their lines could not be written */
    bool is_summed_up;          /* the summary is printed */
    struct ota_failure failure; /* one that belongs to no board */
    struct ota_failure search;  /* why boards may be missing; OTA_OK: it found all */
    bool is_over;               /* --monitor-for */
    int signal_number;          /* of the signal that came; 0: none */
};

/* After open_log(), which makes its file: so another path to the same one is seen. */
static enum ota_error open_metrics(struct program *program, struct ota_failure *failure)
{
    const struct options *options = program->options;
    const char *log = options->transcript.path;

    if (!options->metrics || options->fleet.is_dry_run)
        return OTA_OK;
    if (input_protect_output("--metrics", options->metrics, false, failure) != OTA_OK)
        return failure->error;
    if (log && input_is_same_file(log, options->metrics))
        return ota_fail(failure, OTA_E_USAGE,
                        "--log and --metrics name the same file; give one of them another name");
    return report_open_metrics(program->report, options->metrics, failure);
}

static enum ota_error open_log(struct program *program, struct ota_failure *failure)
{
    const struct options *options = program->options;
    const char *path = options->transcript.path;

    if ((!boot_check_is_wanted(&options->log) && !plan_judges_logs(&program->plan)) ||
        options->fleet.is_dry_run)
        return OTA_OK;
    if (path && input_protect_output("--log", path, true, failure) != OTA_OK)
        return failure->error;
    return report_open_transcript(program->report, &options->transcript, failure);
}

static void on_signal(int number, void *userdata)
{
    struct program *program = userdata;

    program->signal_number = number;
    fleet_interrupt(program->fleet, number);
    loop_quit(program->loop);
}

static void on_tick(void *userdata)
{
    struct program *program = userdata;

    report_count_down(program->report);
    loop_timer_start(&program->tick, COUNTDOWN_TICK_US);
}

static void tell_standings(ota_standing_fn *tell, void *tell_userdata, const void *userdata)
{
    fleet_tell(userdata, tell, tell_userdata);
}

static void on_status(void *userdata)
{
    struct program *program = userdata;

    if (program->fleet)
        report_status(program->report, fleet_totals(program->fleet));
}

static void on_line_typed(const char *line, size_t length, void *userdata)
{
    struct program *program = userdata;
    if (!fleet_say(program->fleet, line, length))
        diag_warning("the typed line was not sent: no log is connected, or its buffer is full");
}

static void on_end(void *userdata)
{
    struct program *program = userdata;
    program->is_over = true;
    loop_quit(program->loop);
}

/* Whether following logs without an end is no longer of use: their lines cannot be written, or have
 * no reader. As long as a board has no outcome, its upload goes on all the same. */
static bool is_log_in_vain(const struct program *program)
{
    struct ota_failure loss;

    return program->are_uploads_over && boot_check_goes_on(&program->options->log) &&
           (!report_is_complete(program->report, &loss) || !report_is_read(program->report));
}

static void on_fleet_event(const struct ota_event *event, void *userdata)
{
    struct program *program = userdata;

    /* That output is lost will be said instead. That a log was not reached would be no reason. */
    if (program->are_logs_given_up && event->type == OTA_EVENT_RESULT)
        return;
    report_event(event, program->report);
    if (event->type == OTA_EVENT_LOG && is_log_in_vain(program))
        loop_quit(program->loop);
}

/* The uploads have their results already, and the exit status is another one. */
static void tell_cut_short(const struct program *program, int status)
{
    struct ota_failure failure;

    ota_fail(&failure, OTA_E_INTERRUPTED, "the log was %s: interrupted by %s",
             program->options->log.monitor_for_us
                 ? "not followed for the whole time of --monitor-for"
                 : "cut short",
             ending_signal_name(program->signal_number));
    failure.cause = OTA_CAUSE_LOG_CUT_SHORT;
    report_end(program->report, &failure, status);
}

/* Prints the summary once, and returns the exit status. A success on the boards found is none on
 * all boards if the search has failed. */
static int sum_up(struct program *program)
{
    int status;
    enum ota_error error = fleet_outcome(program->fleet, &status);

    if (error == OTA_OK && program->search.error != OTA_OK) {
        error = program->search.error;
        status = ota_error_exit_status(error, 0);
    }
    if (program->is_summed_up && error == OTA_E_INTERRUPTED)
        tell_cut_short(program, status);
    if (program->is_summed_up)
        return status;

    program->is_summed_up = true;
    if (program->plan.image_count > 0)
        report_summary(program->report, error, status);
    if (program->search.error != OTA_OK)
        report_failure(program->report, &program->search);
    return status;
}

static void read_keyboard(struct program *program)
{
    program->keyboard = keyboard_start(program->loop, on_line_typed, program);
    if (!program->keyboard)
        diag_warning("typed lines are not sent to the board: %s", strerror(errno));
}

/* Who follows the log of one board at a terminal may talk to it. */
static void follow_on(struct program *program)
{
    const int64_t for_us = program->options->log.monitor_for_us;
    if (program->plan.count == 1 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        read_keyboard(program);
    if (!for_us)
        return;

    loop_timer_init(&program->end, program->loop, on_end, program);
    loop_timer_start(&program->end, for_us);
}

static void on_fleet_done(void *userdata)
{
    struct program *program = userdata;

    program->are_uploads_over = true;
    loop_timer_stop(&program->tick);
    if (fleet_is_decided(program->fleet)) /* else the logs decide */
        sum_up(program);
    program->are_logs_given_up = fleet_logs(program->fleet) && is_log_in_vain(program);
    if (fleet_logs(program->fleet) && !program->are_logs_given_up)
        follow_on(program);
    else
        loop_quit(program->loop);
}

/* A service for each protocol that a board of the plan gets its image by. */
static enum ota_error open_services(struct program *program)
{
    for (size_t i = 0; i < program->plan.count; i++) {
        const struct assignment *assignment = &program->plan.assignments[i];

        if (!assignment->image || upload_service_find(program->services, assignment->protocol))
            continue;
        struct upload_service *service = upload_service_open(
            assignment->protocol, program->loop, &program->options->upload, &program->failure);
        if (!service)
            return program->failure.error;
        service->next = program->services;
        program->services = service;
    }
    return OTA_OK;
}

static bool has_room(const void *reader)
{
    return report_has_room(reader);
}

static void queue_output(struct program *program)
{
    report_queue_output(program->report, program->loop);
    program->log = program->options->log;
    program->log.has_room = has_room;
    program->log.reader = program->report;
}

/* Whether --expect-timeout, if given, has something to limit: a list may say what is expected. */
static enum ota_error check_limit(struct program *program)
{
    const struct options *options = program->options;

    if (!options->typed[OPTION_EXPECT_TIMEOUT] || options->log.expect ||
        options->upload.expect_version || plan_judges_logs(&program->plan))
        return OTA_OK;
    return ota_fail(&program->failure, OTA_E_USAGE,
                    "--expect-timeout limits the wait for --expect; add --expect REGEX");
}

static bool is_used(const struct plan *plan, const struct upload_protocol *protocol)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->assignments[i].image && plan->assignments[i].protocol == protocol)
            return true;
    return false;
}

/* Somebody who types an option of update pages expects one. */
static void warn_ignored(const struct program *program)
{
    const bool *typed = program->options->typed;
    char ignored[OPTIONS_IGNORED_MAX];

    if (program->options->report.quiet)
        return;
    if (program->plan.image_count == 0) {
        options_describe_idle(ignored, typed);
        if (*ignored)
            diag_warning("%s", ignored);
        return;
    }
    for (size_t i = 0; protocols[i]; i++) {
        if (is_used(&program->plan, protocols[i]))
            continue;
        options_describe_foreign(ignored, typed, protocols[i]);
        if (*ignored)
            diag_warning("%s", ignored);
    }
}

/* Everything that can fail before a board is asked for anything. */
static enum ota_error prepare(struct program *program)
{
    const struct options *options = program->options;
    struct ota_failure *failure = &program->failure;

    if (plan_make(&program->plan, &options->plan, failure) != OTA_OK ||
        check_limit(program) != OTA_OK)
        return failure->error;

    program->loop = loop_new();
    if (!program->loop)
        return ota_fail_call(failure, "cannot wait for events");
    program->mdns = mdns_client_new(program->loop);
    if (!program->mdns)
        return ota_fail_no_memory(failure);
    if (options->discovers && board_select(&program->plan, options, program->loop, program->mdns,
                                           &program->search, failure) != OTA_OK)
        return failure->error;
    warn_ignored(program);
    /* Outputs come last, as none of them may be a file that was read. Until here a signal ends the
     * program as it is: nothing has been said to any board. */
    if (open_services(program) != OTA_OK || open_log(program, failure) != OTA_OK ||
        open_metrics(program, failure) != OTA_OK)
        return failure->error;
    if (loop_catch_signals(program->loop, on_signal, program) < 0 ||
        loop_catch_status(program->loop, on_status, program) < 0)
        return ota_fail_call(failure, "cannot catch signals");
    queue_output(program);
    return OTA_OK;
}

static enum ota_error upload(struct program *program)
{
    const struct fleet_config config = {.loop = program->loop,
                                        .mdns = program->mdns,
                                        .services = program->services,
                                        .upload = &program->options->upload,
                                        .settings = &program->options->fleet,
                                        .log = &program->log,
                                        .assignments = program->plan.assignments,
                                        .count = program->plan.count,
                                        .on_event = on_fleet_event,
                                        .event_userdata = program,
                                        .on_done = on_fleet_done,
                                        .done_userdata = program};

    program->fleet = fleet_start(&config);
    if (!program->fleet)
        return ota_fail_no_memory(&program->failure);
    report_ask(program->report, tell_standings, program->fleet);
    loop_timer_init(&program->tick, program->loop, on_tick, program);
    if (program->options->fleet.wait_us && report_is_live(&program->options->report))
        loop_timer_start(&program->tick, COUNTDOWN_TICK_US);
    if (loop_run(program->loop) < 0)
        return ota_fail_call(&program->failure, "cannot wait for events");
    return OTA_OK;
}

static bool is_output_complete(const struct program *program, struct ota_failure *loss)
{
    struct ota_failure lost_metrics;
    enum ota_error error = report_write_metrics(program->report, &lost_metrics);

    report_end_output(program->report);
    if (!report_is_complete(program->report, loss))
        return false;
    if (error != OTA_OK)
        *loss = lost_metrics;
    return error == OTA_OK;
}

/* Lost output does not change the results of the boards. */
static int judge_output(struct program *program, int status)
{
    struct ota_failure loss;

    if (is_output_complete(program, &loss))
        return status;
    if (status != 0) {
        diag_error("%s", loss.message);
        return status;
    }
    ota_fail(&program->failure, loss.error, "%s%s",
             program->plan.image_count && !program->options->fleet.is_dry_run
                 ? "every upload is confirmed, but "
                 : "",
             loss.message);
    program->failure.cause = loss.cause;
    return report_failure(program->report, &program->failure);
}

static int run_upload(struct program *program)
{
    enum ota_error error = prepare(program);
    if (error == OTA_OK)
        error = upload(program);
    if (error != OTA_OK)
        return report_failure(program->report, &program->failure);
    fleet_end_logs(program->fleet, program->is_over);
    return judge_output(program, sum_up(program));
}

int cmd_upload_run(const struct options *options, struct report *report)
{
    struct program program = {.options = options, .report = report};

    signal(SIGPIPE, SIG_IGN); /* a reader that goes away does not end the upload */
    int status = run_upload(&program);
    report_end_output(report);
    keyboard_free(program.keyboard);
    report_ask(report, NULL, NULL);
    fleet_free(program.fleet);
    upload_services_close(program.services);
    mdns_client_free(program.mdns);
    loop_timer_stop(&program.end);
    loop_timer_stop(&program.tick);
    loop_free(program.loop);
    plan_free(&program.plan);
    return status;
}
