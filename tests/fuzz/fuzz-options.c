/*
 * fuzz-options.c: the command line. The input is its arguments, each ended by a NUL byte.
 */
#include "base/diag.h"
#include "boardlog/boot_check.h"
#include "cli/options.h"
#include "cli/placeholder.h"
#include "require.h"
#include "target_promise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64 };

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer declares it like this */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --help must not fill the terminal, --auth-file must not wait for one, and the developer's ~/.popt
 * must not change the results. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer declares it like this */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;

    diag_set_level(DIAG_LEVEL_ERROR);
    setsid();
    if (setenv("HOME", "/nonexistent", 1) != 0 || !freopen("/dev/null", "r", stdin) ||
        !freopen("/dev/null", "w", stdout))
        return -1;
    return 0;
}

/* Checks the assumptions of the rest of the program. */
static void check_upload(const struct options *options)
{
    require(options->plan.boards.count > 0 || options->plan.hosts || options->discovers);
    require(options->plan.file || boot_check_is_wanted(&options->log) ||
            (options->plan.hosts && options->plan.boards.count == 0 && !options->discovers));

    for (size_t i = 0; i < options->plan.boards.count; i++)
        require_target(&options->plan.boards.lines[i].target);
    require(options->espota.port_first <= options->espota.port_last && options->fleet.jobs > 0);
}

static void check(const struct options *options, enum options_outcome outcome,
                  const struct ota_failure *failure)
{
    /* The message is printable; only hints ("To ...") have lines of their own. */
    if (outcome == OPTIONS_ERROR)
        for (const char *at = failure->message; *at; at++)
            require(((unsigned char)*at >= ' ' && *at != 0x7f) || strncmp(at, "\n  To ", 6) == 0);
    if (outcome != OPTIONS_RUN)
        return;

    require(options->upload.timeout_us > 0 && !(options->report.quiet && options->report.debug));
    require(!(options->list && options->check));
    require(!options->plan.file || !placeholder_caller(options->plan.file));
    require(!options->plan.sign || !options->list);
    require(!options->plan.verify_key || options->plan.file || options->plan.hosts);

    if (options->output)
        require(options->plan.file && (options->plan.prepare.compress || options->plan.sign) &&
                !options->plan.hosts && options->plan.boards.count == 0 && !options->discovers);
    else if (options->list)
        require(!options->plan.file && !options->plan.hosts && options->plan.boards.count == 0);
    else if (options->check)
        require(options->plan.file && !options->plan.hosts);
    else
        check_upload(options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[] = "esp-ota", *argv[ARGUMENTS_MAX + 1] = {name};
    int argc = 1;

    for (size_t start = 0; start < size && argc < ARGUMENTS_MAX;) {
        const uint8_t *end = memchr(data + start, '\0', size - start);
        size_t length = end ? (size_t)(end - data) - start : size - start;
        argv[argc++] = strndup((const char *)data + start, length);
        start += length + 1;
    }

    struct options options = {0};
    struct ota_failure failure;
    check(&options, options_parse(&options, argc, argv, &failure), &failure);

    options_free(&options);
    for (int i = 1; i < argc; i++)
        free(argv[i]);
    return 0;
}
