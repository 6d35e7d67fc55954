/*
 * cmd_pluggable.c: wires together what an IDE's tool needs: the loop, and a discovery or a monitor.
 */
#include "cli/cmd_pluggable.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/loop.h"
#include "cli/options.h"
#include "output/report.h"
#include "pluggable/discovery.h"
#include "pluggable/monitor.h"

#include <signal.h>
#include <strings.h>
#include <unistd.h>

/* A section of the configuration. */
static const struct target *find_known(const char *name, const void *userdata)
{
    const struct hosts *known = userdata;

    for (size_t i = 0; i < known->count; i++)
        if (strcasecmp(known->lines[i].label, name) == 0)
            return &known->lines[i].target;
    return NULL;
}

static enum ota_error serve_ide(const struct options *options, struct loop *loop,
                                struct ota_failure *failure)
{
    struct discovery *discovery = NULL;
    struct monitor *monitor = NULL;
    const struct monitor_settings settings = {.port = options->log.monitor_port,
                                              .keeps_colors = options->log.raw,
                                              .find = find_known,
                                              .userdata = &options->plan.boards};

    if (options->pluggable == PLUGGABLE_DISCOVERY)
        discovery = discovery_start(loop, options->upload.timeout_us, failure);
    else
        monitor = monitor_start(loop, &settings, failure);

    if ((discovery || monitor) && loop_run(loop) < 0)
        ota_fail_call(failure, "cannot wait for events");
    discovery_free(discovery);
    monitor_free(monitor);
    return failure->error;
}

int cmd_pluggable_run(const struct options *options, struct report *report)
{
    struct ota_failure failure = {.error = OTA_OK};
    struct loop *loop = loop_new();

    if (isatty(STDIN_FILENO) && !options->report.quiet)
        diag_notice(
            "this is for an Arduino IDE (esp-ota-callers(7)); commands such as HELLO 1 \"me\" "
            "are read from standard input until QUIT");
    signal(SIGPIPE, SIG_IGN); /* an IDE that has gone is an error of write(2) */
    if (loop)
        serve_ide(options, loop, &failure);
    else
        ota_fail_call(&failure, "cannot wait for events");

    loop_free(loop);
    return failure.error == OTA_OK ? 0 : report_failure(report, &failure);
}
