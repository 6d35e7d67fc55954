/*
 * options_rules.c: see options_rules.h. What a command refuses or ignores is in options_use.c.
 */
#include "cli/options_rules.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "cli/operands.h"
#include "cli/options_use.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { WORD_SHOWN = 160 };

/* Somebody expected something of an option that the command does not use. */
static enum ota_error check_refused(const struct command_line *line, struct ota_failure *failure)
{
    static const struct {
        enum command_use command;
        const char *what_it_does;
    } reasons[] = {
        {COMMAND_LIST, "-l prints all boards and uploads nothing"},
        {COMMAND_CHECK, "--check only examines a file"},
        {COMMAND_SERVE, "--serve waits for boards that fetch, and uploads nothing"},
        {COMMAND_DISCOVERY, "--pluggable-discovery only answers an IDE on standard input"},
        {COMMAND_IDE_MONITOR, "--pluggable-monitor only answers an IDE on standard input"},
    };
    const enum command_use command = options_command(line);
    const int refused = options_find_refused(line, command);
    char name[COMMAND_LINE_NAME_MAX];

    for (size_t i = 0; refused < OPTION_COUNT && i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].command == command)
            return ota_fail(
                failure, OTA_E_USAGE, "%s; leave %s out%s", reasons[i].what_it_does,
                command_line_name(name, line, (enum option)refused),
                refused == OPTION_PORT ? ", or name the port to serve at with --serve=PORT" : "");
    return OTA_OK;
}

static enum ota_error check_pluggable(const struct command_line *line, struct ota_failure *failure)
{
    if (line->given[OPTION_PLUGGABLE_DISCOVERY] && line->given[OPTION_PLUGGABLE_MONITOR])
        return ota_fail(failure, OTA_E_USAGE,
                        "--pluggable-discovery and --pluggable-monitor are two tools of an IDE; "
                        "leave one out");
    return OTA_OK;
}

static enum ota_error check_check(const struct command_line *line, struct ota_failure *failure)
{
    if (!line->given[OPTION_FILE])
        return ota_fail(failure, OTA_E_USAGE, "no file is named; add -f FILE");
    return OTA_OK;
}

/* A mistyped file name, or "list", is taken for a board; the message says so. */
static enum ota_error reject_no_image(const struct command_line *line, struct ota_failure *failure)
{
    char shown[WORD_SHOWN];

    if (!line->word)
        return ota_fail(failure, OTA_E_USAGE, "no firmware is named; add -f FILE");

    escape_board(shown, sizeof shown, line->word);
    if (options_find_name(line->word, strlen(line->word)))
        return ota_fail(failure, OTA_E_USAGE,
                        "no firmware is named; add -f FILE ('%s' is taken for a board; the option "
                        "is --%s)",
                        shown, shown);
    return ota_fail(failure, OTA_E_USAGE,
                    "no firmware is named; add -f FILE (no file is called '%s', so it is taken for "
                    "a board%s%s)",
                    shown, *line->similar ? "; the configuration has " : "", line->similar);
}

static enum ota_error check_output(const struct command_line *line, struct ota_failure *failure)
{
    if (options_name_boards(line->given))
        return ota_fail(
            failure, OTA_E_USAGE,
            "--output writes a file and uploads nothing; leave out either --output or the boards");
    if (!line->given[OPTION_FILE])
        return reject_no_image(line, failure);
    if (!line->given[OPTION_COMPRESS] && !line->given[OPTION_SIGN])
        return ota_fail(failure, OTA_E_USAGE,
                        "--output alone would only copy the file; add -z or --sign KEY");
    return OTA_OK;
}

/* Whether the log of a board is wanted, for which no firmware is needed. */
static bool wants_log(const struct command_line *line)
{
    return line->given[OPTION_MONITOR] || line->given[OPTION_EXPECT] || line->given[OPTION_REJECT];
}

/* Whether an option is about an upload, so that -f was forgotten. */
static bool names_upload(const struct command_line *line)
{
    return line->given[OPTION_SPIFFS] || line->given[OPTION_COMPRESS] || line->given[OPTION_SIGN] ||
           line->given[OPTION_FORCE] || line->given[OPTION_CANARY] || line->given[OPTION_RESUME];
}

static bool lacks_log(const struct command_line *line)
{
    return !wants_log(line);
}

static bool lacks_monitor(const struct command_line *line)
{
    return !line->given[OPTION_MONITOR];
}

static bool has_expect(const struct command_line *line)
{
    return line->given[OPTION_EXPECT];
}

static bool has_reject(const struct command_line *line)
{
    return line->given[OPTION_REJECT];
}

static bool has_json(const struct command_line *line)
{
    return line->given[OPTION_JSON];
}

static bool lacks_image(const struct command_line *line)
{
    return !line->given[OPTION_FILE] && !line->given[OPTION_HOSTS];
}

/* Options that make no sense with, or without, others. */
static enum ota_error check_log(const struct command_line *line, struct ota_failure *failure)
{
    static const struct {
        enum option option;
        bool (*is_wrong)(const struct command_line *line);
        const char *message;
    } rules[] = {
        {OPTION_TIMESTAMPS, lacks_log, "--timestamps is for a board's log; add --monitor"},
        {OPTION_LOG, lacks_log, "--log is for a board's log; add --monitor"},
        {OPTION_RAW, lacks_monitor, "--raw is for a board's log; add --monitor"},
        {OPTION_MONITOR_FOR, lacks_monitor, "--monitor-for is for a board's log; add --monitor"},
        {OPTION_MONITOR_FOR, has_expect,
         "--monitor-for and --expect both set an end; leave one out, and limit the latter with "
         "--expect-timeout"},
        {OPTION_MONITOR_FOR, has_reject,
         "--monitor-for and --reject both set an end; leave one out, and limit the latter with "
         "--expect-timeout"},
        {OPTION_RAW, has_json, "--raw and --json contradict each other; leave one out"},
        {OPTION_EXPECT_VERSION, lacks_image,
         "--expect-version reads the version after an upload; add -f FILE"},
        {OPTION_ONLINE, lacks_image, "--online waits for the restart after an upload; add -f FILE"},
        {OPTION_DRY_RUN, lacks_image, "--dry-run is about uploads; add -f FILE"},
        {OPTION_DEADLINE, lacks_image,
         "--deadline limits uploads; add -f FILE, or limit a log with --monitor-for"},
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (line->given[rules[i].option] && rules[i].is_wrong(line))
            return ota_fail(failure, OTA_E_USAGE, "%s", rules[i].message);
    return OTA_OK;
}

static enum ota_error check_upload(const struct command_line *line, bool can_choose,
                                   struct ota_failure *failure)
{
    const bool is_named = options_name_boards(line->given);
    const bool discovers = line->given[OPTION_ALL] || line->given[OPTION_MATCH] ||
                           line->given[OPTION_BOARD] || (can_choose && !is_named);
    const bool all_have_files = line->given[OPTION_HOSTS] && !line->given[OPTION_IP];

    if (!is_named && !names_upload(line) && !line->given[OPTION_FILE] && !wants_log(line))
        return ota_fail(
            failure, OTA_E_USAGE,
            "no board is named, and no firmware\n"
            "  To upload a sketch: esp-ota -i HOST -f FIRMWARE.bin\n"
            "  To see which boards there are: esp-ota -l; for all options: esp-ota --help");
    if (!is_named && !can_choose)
        return ota_fail(failure, OTA_E_USAGE,
                        "no board is named; add -i HOST, the board's name or address, or --all");
    if (!line->given[OPTION_FILE] && (!all_have_files || discovers) &&
        (!wants_log(line) || names_upload(line)))
        return reject_no_image(line, failure);
    return check_log(line, failure);
}

static enum ota_error check_serve(const struct command_line *line, struct ota_failure *failure)
{
    if (line->given[OPTION_TLS_CERT] != line->given[OPTION_TLS_KEY])
        return ota_fail(failure, OTA_E_USAGE, "--tls-cert and --tls-key belong together; add %s",
                        line->given[OPTION_TLS_CERT] ? "--tls-key FILE" : "--tls-cert FILE");
    if (line->given[OPTION_FILE] || line->given[OPTION_HOSTS])
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "no firmware is named; %s",
                    line->value[OPTION_SERVE] && operands_is_file(line->value[OPTION_SERVE])
                        ? "the word behind --serve is its port; write -f before the file"
                        : "add -f FILE");
}

/* Options that only --serve has. */
static enum ota_error check_serving(const struct command_line *line, struct ota_failure *failure)
{
    static const enum option options[] = {OPTION_SERVE_FOR, OPTION_UNTIL_CONFIRMED,
                                          OPTION_SERVE_VERSION, OPTION_TLS_CERT, OPTION_TLS_KEY};
    char name[COMMAND_LINE_NAME_MAX];

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (line->given[options[i]] && !line->given[OPTION_SERVE])
            return ota_fail(failure, OTA_E_USAGE, "%s is about boards that fetch; add --serve",
                            command_line_name(name, line, options[i]));
    return OTA_OK;
}

/* Whether there is an upload; without -f, lines of --hosts name what is sent. */
static bool sends_image(const struct command_line *line)
{
    return !line->given[OPTION_LIST] && !line->given[OPTION_OUTPUT] &&
           (line->given[OPTION_FILE] || line->given[OPTION_HOSTS]);
}

/* Whether at most one option reads from standard input, and an image not from a terminal. */
static enum ota_error check_standard_input(const struct command_line *line,
                                           struct ota_failure *failure)
{
    static const enum option readers[] = {OPTION_AUTH_FILE, OPTION_ENCRYPTION_KEY_FILE,
                                          OPTION_HOSTS, OPTION_FILE};
    char first[COMMAND_LINE_NAME_MAX] = "", name[COMMAND_LINE_NAME_MAX];

    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const char *path = line->value[readers[i]];
        if (!path || !input_is_standard(path))
            continue;

        command_line_name(name, line, readers[i]);
        if (*first)
            return ota_fail(failure, OTA_E_USAGE,
                            "%s and %s cannot both be read from standard input", first, name);
        memcpy(first, name, sizeof first);
        if (readers[i] == OPTION_FILE && isatty(STDIN_FILENO))
            return ota_fail(failure, OTA_E_USAGE,
                            "-f - reads the image from standard input, which is a terminal; name a "
                            "file, or redirect one with '<' or '|'");
    }
    return OTA_OK;
}

static enum ota_error check_quiet(const struct command_line *line, struct ota_failure *failure)
{
    const char *loud = line->given[OPTION_DEBUG]      ? "-d"
                       : line->given[OPTION_PROGRESS] ? "-r"
                       : line->given[OPTION_VERBOSE]  ? "-v"
                                                      : NULL;

    if (line->given[OPTION_QUIET] && loud)
        return ota_fail(failure, OTA_E_USAGE,
                        "-q asks for silence and %s for output; leave one out", loud);
    return OTA_OK;
}

static enum ota_error check_command(const struct command_line *line, bool can_choose,
                                    struct ota_failure *failure)
{
    switch (options_command(line)) {
    case COMMAND_DISCOVERY:
    case COMMAND_IDE_MONITOR:
        return check_pluggable(line, failure);
    case COMMAND_CHECK:
        return check_check(line, failure);
    case COMMAND_LIST:
        return OTA_OK;
    case COMMAND_SERVE:
        return check_serve(line, failure);
    case COMMAND_WRITE:
        return check_output(line, failure);
    case COMMAND_UPLOAD:
        break;
    }
    return check_upload(line, can_choose, failure);
}

static enum ota_error check_signing(const struct command_line *line, struct ota_failure *failure)
{
    if (line->given[OPTION_VERIFY_KEY] && !line->given[OPTION_CHECK] && !sends_image(line))
        return ota_fail(
            failure, OTA_E_USAGE,
            "--verify-key needs an image to verify; add --check, or -i and -f for an upload");
    if (line->given[OPTION_SIGN_HASH] && !line->value[OPTION_SIGN])
        return ota_fail(failure, OTA_E_USAGE,
                        "--sign-hash is for --sign; add --sign KEY, or leave it out");
    return OTA_OK;
}

static enum ota_error check_password(const struct command_line *line, struct ota_failure *failure)
{
    if (line->given[OPTION_AUTH] && line->given[OPTION_AUTH_FILE])
        return ota_fail(failure, OTA_E_USAGE,
                        "-a and --auth-file both give a password; leave one of them out");
    return OTA_OK;
}

enum ota_error options_check_rules(const struct command_line *line, bool can_choose,
                                   struct ota_failure *failure)
{
    enum ota_error error = check_refused(line, failure);

    /* First, as check_command() misses a board if --serve is forgotten. */
    if (error == OTA_OK)
        error = check_serving(line, failure);
    if (error == OTA_OK)
        error = check_command(line, can_choose, failure);
    if (error == OTA_OK)
        error = check_signing(line, failure);
    if (error == OTA_OK)
        error = check_password(line, failure);
    if (error == OTA_OK)
        error = check_standard_input(line, failure);
    return error == OTA_OK ? check_quiet(line, failure) : error;
}
