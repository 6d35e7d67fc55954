/*
 * main.c: reads the command line, runs the command, and returns the exit status.
 */
#include "base/diag.h"
#include "base/ending_signal.h"
#include "base/loop.h"
#include "base/secret.h"
#include "base/stdio_guard.h"
#include "cli/arduino_ota.h"
#include "cli/cmd_check.h"
#include "cli/cmd_list.h"
#include "cli/cmd_pluggable.h"
#include "cli/cmd_serve.h"
#include "cli/cmd_upload.h"
#include "cli/cmd_write.h"
#include "cli/options.h"
#include "output/report.h"

#include <signal.h>
#include <stdlib.h>

static int run_command(const struct options *options, struct report *report)
{
    if (!report) {
        diag_error("out of memory");
        return ota_error_exit_status(OTA_E_INTERNAL, 0);
    }

    if (options->pluggable)
        return cmd_pluggable_run(options, report);
    if (options->list)
        return cmd_list_run(options, report);
    if (options->check)
        return cmd_check_run(options, report);
    if (options->serve.is_wanted)
        return cmd_serve_run(options, report);
    return options->output ? cmd_write_run(options, report) : cmd_upload_run(options, report);
}

/* As esp-ota, or as arduinoOTA. */
static enum options_outcome read_command_line(struct options *options, int argc, char **argv,
                                              struct ota_failure *failure)
{
    enum options_outcome outcome = OPTIONS_ERROR;
    struct arduino_ota call;

    if (!arduino_ota_is_called(argv[0]))
        return options_parse(options, argc, argv, failure);

    *options = (struct options){0};
    if (arduino_ota_translate(&call, argc, argv, failure) == OTA_OK)
        outcome = options_parse(options, call.count, call.words, failure);
    arduino_ota_free(&call);
    return outcome;
}

/* Libraries for TLS write the keys of each connection into the file of SSLKEYLOGFILE, where other
 * users can read it, and GnuTLS also on standard error. None of them is loaded yet, unless they are
 * linked (ESP_OTA_LINK_LIBRARIES). */
static void ignore_key_logs(void)
{
    unsetenv("SSLKEYLOGFILE");
    unsetenv("GNUTLS_DEBUG_LEVEL");
}

int main(int argc, char **argv)
{
    struct options options;
    /* Initialized, as the dynamic linker may have saved bytes of the arguments in its place. */
    struct ota_failure failure = {.error = OTA_OK};
    int status = 0;

    secret_cleanse_traces();
    stdio_guard_secure();
    ignore_key_logs();
    ending_signal_reach_process_1();
    /* Else the number of a worker that has ended may be another process's when it is killed. */
    signal(SIGCHLD, SIG_DFL);
    signal(SIGUSR1,
           SIG_IGN); /* asks for the progress; only loops answer it (loop_catch_status()) */
    enum options_outcome outcome = read_command_line(&options, argc, argv, &failure);
    secret_cleanse_traces(); /* passwords in options leave traces */

    struct report *report = report_new(&options.report);
    if (outcome == OPTIONS_RUN)
        status = run_command(&options, report);
    else if (outcome == OPTIONS_ERROR)
        status = report_failure(report, &failure);

    report_free(report);
    options_free(&options);

    const int signal_number = status - ota_error_exit_status(OTA_E_INTERRUPTED, 0);
    if (signal_number > 0)
        loop_die_of(signal_number);
    return status;
}
