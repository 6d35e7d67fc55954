/*
 * list.c: wires together what -l needs: loop, browse, listing.
 */
#include "list.h"

#include "browse.h"
#include "error.h"
#include "listing.h"
#include "log.h"
#include "loop.h"
#include "match.h"
#include "report_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct program {
    const struct options *options;
    int64_t start_us;
    struct loop *loop;
    struct mdns *mdns;
    struct browse *browse;
    struct ota_failure failure;
};

static bool print(const struct program *program, const struct boards *boards)
{
    bool is_written = true;
    int64_t since_start_us = loop_now_us() - program->start_us;
    if (program->options->json)
        for (size_t i = 0; i < boards->count; i++)
            is_written &= report_json_board(stdout, boards->items[i], since_start_us);
    else if (isatty(STDOUT_FILENO) && boards->count)
        listing_print_table(stdout, boards);
    else
        listing_print_plain(stdout, boards);
    return is_written && fflush(stdout) == 0 && !ferror(stdout);
}

static void on_done(const struct boards *boards, const struct ota_failure *failure, void *userdata)
{
    struct program *program = userdata;
    struct boards matching = {0};
    if (boards->count)
        match_boards(&matching, boards, program->options, false, &program->failure);
    if (failure)
        program->failure = *failure;
    errno = 0;
    if (!print(program, &matching))
        fail(&program->failure, OTA_E_OUTPUT, "cannot write to standard output: %s",
             strerror(errno));
    free(matching.items);
    loop_quit(program->loop);
}

static void on_status(void *userdata)
{
    const struct program *program = userdata;
    size_t count = program->browse ? browse_count(program->browse) : 0;

    log_notice("looking for boards: %zu found so far, after %.1f s of at most %.3g s", count,
               (double)(loop_now_us() - program->start_us) / 1e6,
               (double)program->options->timeout_us / 1e6);
}

static enum ota_error browse(struct program *program)
{
    program->loop = loop_new();
    if (!program->loop)
        return fail(&program->failure, OTA_E_INTERNAL, "cannot wait for events: %s",
                    strerror(errno));
    if (loop_catch_status(program->loop, on_status, program) < 0)
        return fail(&program->failure, OTA_E_INTERNAL, "cannot catch signals: %s", strerror(errno));
    const AvahiPoll *poll_api = loop_poll_api(program->loop);
    program->mdns = mdns_new(poll_api);
    if (program->mdns)
        program->browse =
            browse_start(poll_api, program->mdns, program->options->timeout_us, on_done, program);
    if (!program->browse)
        return fail(&program->failure, OTA_E_INTERNAL, "out of memory");
    if (loop_run(program->loop) < 0)
        return fail(&program->failure, OTA_E_INTERNAL, "cannot wait for events: %s",
                    strerror(errno));
    return program->failure.error;
}

int list_run(const struct options *options, struct report *report)
{
    struct program program = {.options = options, .start_us = loop_now_us()};
    int status = browse(&program) == OTA_OK ? 0 : report_failure(report, &program.failure);
    browse_free(program.browse);
    mdns_free(program.mdns);
    loop_free(program.loop);
    return status;
}
