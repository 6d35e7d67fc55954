/*
 * fuzz-options.c: the command line. The input is its arguments, each ended by a NUL byte.
 */
#include "log.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64 };

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer says what it is */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --help must not fill the terminal, --auth-file must not wait for one, and ~/.popt is the corpus's
 * business, not the developer's. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer says what it is */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    log_set_level(LOG_LEVEL_ERROR);
    setsid();
    return setenv("HOME", "/nonexistent", 1) == 0 && freopen("/dev/null", "r", stdin) &&
                   freopen("/dev/null", "w", stdout)
               ? 0
               : -1;
}

static void check(const struct options *options, enum options_outcome outcome,
                  const struct ota_failure *failure)
{
    if (outcome == OPTIONS_ERROR) {
        for (const char *at = failure->message; *at; at++) {
            if ((unsigned char)*at < ' ' || *at == 0x7f)
                abort();
        }
    }
    if (outcome == OPTIONS_RUN) {
        if (!options->file || options->target_count == 0 ||
            options->targets[options->target_count - 1].name[0] == '\0' ||
            options->timeout_us <= 0 || options->port_first > options->port_last ||
            (options->quiet && options->debug))
            abort();
    }
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
    struct options options;
    struct ota_failure failure;
    check(&options, options_parse(&options, argc, argv, &failure), &failure);
    options_free(&options);
    for (int i = 1; i < argc; i++)
        free(argv[i]);
    return 0;
}
