/*
 * cmd_list.c: wires together what -l needs: loop, browse, listing.
 */
#include "cli/cmd_list.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/stdio_guard.h"
#include "base/stdout_text.h"
#include "base/terminal.h"
#include "cli/board_kind.h"
#include "cli/options.h"
#include "discovery/board_browse.h"
#include "discovery/board_match.h"
#include "net/source.h"
#include "output/board_table.h"
#include "output/report.h"
#include "output/report_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct program {
    const struct options *options;
    int64_t start_us;
    struct loop *loop;
    struct mdns_client *mdns;
    struct board_browse *browse;
    struct ota_failure failure;
};

/* Returns false when memory ran out, so that a line is missing. */
static bool print_boards(FILE *stream, const struct program *program,
                         const struct board_list *boards)
{
    bool is_written = true;
    int64_t since_start_us = loop_now_us() - program->start_us;

    if (program->options->report.json)
        for (size_t i = 0; i < boards->count; i++)
            is_written &= report_json_board(stream, boards->items[i], since_start_us);
    else if (isatty(STDOUT_FILENO) && boards->count)
        board_table_print_table(stream, boards, terminal_width(STDOUT_FILENO));
    else
        board_table_print_plain(stream, boards);
    return is_written;
}

/* Returns 0 or errno. */
static int write_boards(const struct program *program, const struct board_list *boards)
{
    struct stdout_text text;
    bool is_whole = stdout_text_open(&text) && print_boards(text.stream, program, boards);
    int error = stdout_text_write(&text, STDIO_GUARD_NO_LIMIT);

    return is_whole ? error : ENOMEM;
}

static void on_browse_done(const struct board_list *boards, const struct ota_failure *failure,
                           void *userdata)
{
    struct program *program = userdata;
    struct board_list matching = {0};
    char left_out[OTA_MESSAGE_MAX];

    if (boards->count)
        board_match(&matching, boards, &program->options->patterns, NULL, &board_kind_facts,
                    &program->failure);
    if (failure)
        program->failure = *failure;
    int error = write_boards(program, &matching);
    if (error != 0)
        ota_fail_stdout(&program->failure, error);
    if (matching.count &&
        *board_match_left_out(left_out, sizeof left_out, boards, &program->options->patterns, NULL,
                              &board_kind_facts))
        diag_info("%s", left_out);
    free(matching.items);
    loop_quit(program->loop);
}

static void on_status(void *userdata)
{
    const struct program *program = userdata;
    size_t count = program->browse ? board_browse_count(program->browse) : 0;

    diag_notice("looking for boards: %zu found so far, after %.1f s of at most %.3g s", count,
                (double)(loop_now_us() - program->start_us) / 1e6,
                (double)program->options->upload.timeout_us / 1e6);
}

static void start_browse(struct program *program)
{
    const struct board_browse_config config = {.loop = program->loop,
                                               .mdns = program->mdns,
                                               .services = SERVICES_ALL,
                                               .timeout_us = program->options->upload.timeout_us,
                                               .source = &source_any,
                                               .on_done = on_browse_done,
                                               .userdata = program};

    program->browse = board_browse_start(&config);
}

static enum ota_error browse(struct program *program)
{
    program->loop = loop_new();
    if (!program->loop)
        return ota_fail_call(&program->failure, "cannot wait for events");
    if (loop_catch_status(program->loop, on_status, program) < 0)
        return ota_fail_call(&program->failure, "cannot catch signals");

    program->mdns = mdns_client_new(program->loop);
    if (program->mdns)
        start_browse(program);
    if (!program->browse)
        return ota_fail_no_memory(&program->failure);
    if (loop_run(program->loop) < 0)
        return ota_fail_call(&program->failure, "cannot wait for events");
    return program->failure.error;
}

int cmd_list_run(const struct options *options, struct report *report)
{
    struct program program = {.options = options, .start_us = loop_now_us()};
    int status = browse(&program) == OTA_OK ? 0 : report_failure(report, &program.failure);
    board_browse_free(program.browse);
    mdns_client_free(program.mdns);
    loop_free(program.loop);
    return status;
}
