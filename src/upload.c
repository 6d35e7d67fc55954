/*
 * upload.c: wires together what uploads need: plan, loop, listener, fleet.
 */
#include "upload.h"

#include "error.h"
#include "fleet.h"
#include "listener.h"
#include "log.h"
#include "loop.h"
#include "plan.h"
#include "select.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

struct program {
    const struct options *options;
    struct report *report;
    struct plan plan;
    struct loop *loop;
    struct listener *listener;
    struct mdns *mdns;
    struct fleet *fleet;
    struct ota_failure failure; /* one that belongs to no board */
};

static void on_signal(int number, void *userdata)
{
    struct program *program = userdata;
    fleet_interrupt(program->fleet, number);
    loop_quit(program->loop);
}

static void on_done(void *userdata)
{
    struct program *program = userdata;
    loop_quit(program->loop);
}

/* Everything that can fail before a board is asked for anything. */
static enum ota_error prepare(struct program *program)
{
    const struct options *options = program->options;
    struct ota_failure *failure = &program->failure;
    if (plan_make(&program->plan, options, failure) != OTA_OK)
        return failure->error;
    program->loop = loop_new();
    if (!program->loop)
        return fail(failure, OTA_E_INTERNAL, "cannot wait for events: %s", strerror(errno));
    program->mdns = mdns_new(loop_poll_api(program->loop));
    if (!program->mdns)
        return fail(failure, OTA_E_INTERNAL, "out of memory");
    if (options->discovers &&
        select_boards(&program->plan, program->loop, program->mdns, failure) != OTA_OK)
        return failure->error;
    /* Until here a signal ends the program as it is: nothing has been said to any board. */
    if (loop_catch_signals(program->loop, on_signal, program) < 0)
        return fail(failure, OTA_E_INTERNAL, "cannot catch signals: %s", strerror(errno));
    program->listener =
        listener_open(loop_poll_api(program->loop), options->has_source ? &options->source : NULL,
                      options->port_first, options->port_last, failure);
    if (!program->listener)
        return failure->error;
    log_debug("boards are to connect to TCP port %u of this computer",
              listener_port(program->listener));
    return OTA_OK;
}

static enum ota_error upload(struct program *program)
{
    const struct fleet_config config = {.poll_api = loop_poll_api(program->loop),
                                        .listener = program->listener,
                                        .mdns = program->mdns,
                                        .options = program->options,
                                        .assignments = program->plan.assignments,
                                        .count = program->plan.count,
                                        .on_event = report_event,
                                        .event_userdata = program->report,
                                        .on_done = on_done,
                                        .done_userdata = program};
    program->fleet = fleet_start(&config);
    if (!program->fleet || loop_run(program->loop) < 0)
        return fail(&program->failure, OTA_E_INTERNAL, "cannot wait for events: %s",
                    strerror(errno));
    return OTA_OK;
}

static int run(struct program *program)
{
    enum ota_error error = prepare(program);
    if (error == OTA_OK)
        error = upload(program);
    if (error != OTA_OK)
        return report_failure(program->report, &program->failure);
    int status;
    error = fleet_outcome(program->fleet, &status);
    report_summary(program->report, error, status);
    if (status != 0 || report_is_complete(program->report))
        return status;
    fail(&program->failure, OTA_E_OUTPUT,
         "every upload is confirmed, but the report could not be written to standard output");
    return report_failure(program->report, &program->failure);
}

int upload_run(const struct options *options, struct report *report)
{
    struct program program = {.options = options, .report = report};
    signal(SIGPIPE, SIG_IGN); /* who no longer reads what is said does not end the upload */
    int status = run(&program);
    fleet_free(program.fleet);
    listener_close(program.listener);
    mdns_free(program.mdns);
    loop_free(program.loop);
    plan_free(&program.plan);
    return status;
}
