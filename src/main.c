/*
 * main.c: wires the parts together and returns the exit status.
 */
#include "error.h"
#include "fleet.h"
#include "image.h"
#include "listener.h"
#include "loop.h"
#include "options.h"
#include "report.h"

#include <errno.h>
#include <string.h>

struct program {
    struct options options;
    struct image *image;
    struct report *report;
    struct loop *loop;
    struct listener *listener;
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

static void on_event(const struct ota_event *event, void *userdata)
{
    struct program *program = userdata;
    report_event(event, program->report);
}

static enum ota_error out_of_memory(struct program *program)
{
    return fail(&program->failure, OTA_E_INTERNAL, "out of memory");
}

/* Everything that can fail before a board is asked for anything. */
static enum ota_error prepare(struct program *program)
{
    const struct options *options = &program->options;
    struct ota_failure *failure = &program->failure;
    if (image_load(&program->image, options->file, options->size_limit, failure) != OTA_OK)
        return failure->error;
    program->report = report_new(options, program->image);
    program->loop = loop_new();
    if (!program->report || !program->loop ||
        loop_catch_signals(program->loop, on_signal, program) < 0)
        return out_of_memory(program);
    program->listener =
        listener_open(loop_poll_api(program->loop), options->has_source ? &options->source : NULL,
                      options->port_first, options->port_last, failure);
    return program->listener ? OTA_OK : failure->error;
}

static enum ota_error upload(struct program *program)
{
    const struct fleet_config config = {.poll_api = loop_poll_api(program->loop),
                                        .listener = program->listener,
                                        .options = &program->options,
                                        .image = program->image,
                                        .on_event = on_event,
                                        .on_done = on_done,
                                        .userdata = program};
    program->fleet = fleet_start(&config);
    if (!program->fleet)
        return out_of_memory(program);
    if (loop_run(program->loop) < 0)
        return fail(&program->failure, OTA_E_INTERNAL, "poll: %s", strerror(errno));
    return OTA_OK;
}

/* The status of the whole run: a lost report spoils only a success. */
static int conclude(struct program *program, enum ota_error error)
{
    int status =
        error == OTA_OK ? fleet_exit_status(program->fleet) : ota_error_exit_status(error, 0);
    if (error != OTA_OK)
        report_failure(program->report, &program->failure, status);
    if (report_flush(program->report) || status != 0)
        return status;
    fail(&program->failure, OTA_E_OUTPUT, "cannot write the report to standard output");
    report_failure(NULL, &program->failure, ota_error_exit_status(OTA_E_OUTPUT, 0));
    return ota_error_exit_status(OTA_E_OUTPUT, 0);
}

static int run(struct program *program)
{
    enum ota_error error = prepare(program);
    if (error == OTA_OK)
        error = upload(program);
    int status = conclude(program, error);
    fleet_free(program->fleet);
    listener_close(program->listener);
    loop_free(program->loop);
    report_free(program->report);
    image_free(program->image);
    return status;
}

int main(int argc, char **argv)
{
    struct program program = {0};
    int status = 0;
    enum options_outcome outcome = options_parse(&program.options, argc, argv, &program.failure);
    if (outcome == OPTIONS_RUN) {
        status = run(&program);
    } else if (outcome == OPTIONS_ERROR) {
        status = ota_error_exit_status(program.failure.error, 0);
        report_failure(NULL, &program.failure, status);
    }
    options_free(&program.options);
    return status;
}
