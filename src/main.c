/*
 * main.c: reads the command line, has it done, and returns the exit status.
 */
#include "check.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "output.h"
#include "report.h"
#include "secret.h"
#include "standard_files.h"
#include "upload.h"

#include <signal.h>

static int run(const struct options *options, struct report *report)
{
    if (!report) {
        log_error("out of memory");
        return ota_error_exit_status(OTA_E_INTERNAL, 0);
    }
    if (options->list)
        return list_run(options, report);
    if (options->check)
        return check_run(options, report);
    return options->output ? output_run(options, report) : upload_run(options, report);
}

int main(int argc, char **argv)
{
    struct options options;
    /* The C library has read the first argument, with what stands behind it, and the dynamic linker
     * saved that where this lies now. */
    struct ota_failure failure = {.error = OTA_OK};
    int status = 0;
    secret_cleanse_traces();
    standard_files_secure();
    signal(SIGUSR1, SIG_IGN); /* asks how far things are, which loops tell (loop_catch_status()) */
    enum options_outcome outcome = options_parse(&options, argc, argv, &failure);
    secret_cleanse_traces(); /* of passwords in options */
    struct report *report = report_new(&options);
    if (outcome == OPTIONS_RUN)
        status = run(&options, report);
    else if (outcome == OPTIONS_ERROR)
        status = report_failure(report, &failure);
    report_free(report);
    options_free(&options);

    const int signal_number = status - ota_error_exit_status(OTA_E_INTERRUPTED, 0);
    if (signal_number > 0)
        loop_die_of(signal_number);
    return status;
}
