/*
 * options.c: turns the command line into validated settings. options_values.c validates single
 * values; this file validates combinations. Opens only the password file and never exits.
 */
#include "cli/options.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/secret.h"
#include "base/units.h"
#include "boardlog/expect.h"
#include "cli/command_line.h"
#include "cli/config_boards.h"
#include "cli/config_options.h"
#include "cli/operands.h"
#include "cli/options_use.h"
#include "cli/options_values.h"
#include "cli/show_config.h"
#include "config/config.h"
#include "image/image.h"
#include "secrets/encryption_key.h"
#include "secrets/password.h"
#include "upload/protocols.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RETRIES_DEFAULT = 2, JOBS_DEFAULT = 16, TELNET_PORT = 23 };

static const int64_t READBACK_DEFAULT_US = SECONDS(90); /* Tasmota copies and unpacks for 25 s */

static void set_defaults(struct options *options)
{
    *options = (struct options){
        .plan = {.size_limit = IMAGE_SIZE_MAX, .protocol = protocols[0]},
        .upload = {.timeout_us = SECONDS(10)},
        .fleet = {.retries = RETRIES_DEFAULT, .jobs = JOBS_DEFAULT},
        .log = {.monitor_port = TELNET_PORT, .expect_timeout_us = SECONDS(30)},
    };
}

/* Whether a board is named in any way; if not, somebody at a terminal may choose. */
static bool names_any_board(const struct command_line *line)
{
    return line->given[OPTION_IP] || line->given[OPTION_HOSTS] || line->given[OPTION_ALL] ||
           line->given[OPTION_MATCH] || line->given[OPTION_BOARD];
}

/* Whether somebody can be asked which boards are meant. */
static bool can_choose(const struct command_line *line)
{
    return !line->given[OPTION_LIST] && !line->given[OPTION_CHECK] && !line->given[OPTION_OUTPUT] &&
           !line->given[OPTION_SERVE] && !line->given[OPTION_PLUGGABLE_DISCOVERY] &&
           !line->given[OPTION_PLUGGABLE_MONITOR] && !line->given[OPTION_QUIET] &&
           isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static void set_flags(struct options *options, const struct command_line *line)
{
    const bool *given = line->given;

    options->list = given[OPTION_LIST];
    options->check = given[OPTION_CHECK];
    options->serve.is_wanted = given[OPTION_SERVE];
    options->pluggable = given[OPTION_PLUGGABLE_DISCOVERY] ? PLUGGABLE_DISCOVERY
                         : given[OPTION_PLUGGABLE_MONITOR] ? PLUGGABLE_MONITOR
                                                           : PLUGGABLE_NONE;
    options->chooses = can_choose(line) && !names_any_board(line);
    options->discovers =
        options->chooses || given[OPTION_ALL] || given[OPTION_MATCH] || given[OPTION_BOARD];
    options->plan.prepare.compress = given[OPTION_COMPRESS];
    options->upload.espota = &options->espota;
    options->upload.web = &options->web;
    options->upload.command = given[OPTION_SPIFFS] ? OTA_COMMAND_FILESYSTEM : OTA_COMMAND_SKETCH;
    options->upload.expect_version_us = given[OPTION_EXPECT_TIMEOUT] ? 0 : READBACK_DEFAULT_US;
    options->web.is_insecure = given[OPTION_INSECURE];
    options->espota.md5_target = given[OPTION_MD5_TARGET];
    options->espota.lockstep = given[OPTION_LOCKSTEP];
    options->upload.force = given[OPTION_FORCE];
    options->fleet.is_dry_run = given[OPTION_DRY_RUN];
    options->log.monitor = given[OPTION_MONITOR];
    options->log.raw = given[OPTION_RAW];
    options->report = (struct report_settings){.command = options->upload.command,
                                               .debug = given[OPTION_DEBUG],
                                               .quiet = given[OPTION_QUIET],
                                               .verbose = given[OPTION_VERBOSE],
                                               .force_bar = given[OPTION_PROGRESS],
                                               .json = given[OPTION_JSON]};
}

/* Whether a board's address is of another family than address. */
static bool is_other_family(const struct options *options, const struct address *address)
{
    for (size_t i = 0; i < options->plan.boards.count; i++) {
        const struct target *target = &options->plan.boards.lines[i].target;
        if (target->kind == TARGET_ADDRESS &&
            address->any.sa_family != target->address.any.sa_family)
            return true;
    }
    return false;
}

/* The IDE names boards and starts uploads by itself. */
static enum ota_error check_pluggable(const struct command_line *line, struct ota_failure *failure)
{
    static const struct {
        enum option option;
        const char *name;
    } for_others[] = {{OPTION_IP, "-i"},
                      {OPTION_FILE, "-f"},
                      {OPTION_HOSTS, "--hosts"},
                      {OPTION_ALL, "--all"},
                      {OPTION_MATCH, "--match"},
                      {OPTION_BOARD, "--board"},
                      {OPTION_LIST, "-l"},
                      {OPTION_CHECK, "--check"},
                      {OPTION_OUTPUT, "--output"},
                      {OPTION_SIGN, "--sign"},
                      {OPTION_SERVE, "--serve"},
                      {OPTION_DRY_RUN, "--dry-run"},
                      {OPTION_AUTH_FILE, "--auth-file"}};
    const bool is_discovery = line->given[OPTION_PLUGGABLE_DISCOVERY];

    if (is_discovery && line->given[OPTION_PLUGGABLE_MONITOR])
        return ota_fail(failure, OTA_E_USAGE,
                        "--pluggable-discovery and --pluggable-monitor are two tools of an IDE; "
                        "leave one out");
    for (size_t i = 0; i < sizeof for_others / sizeof *for_others; i++)
        if (line->given[for_others[i].option])
            return ota_fail(
                failure, OTA_E_USAGE, "%s only answers an IDE on standard input; leave %s out",
                is_discovery ? "--pluggable-discovery" : "--pluggable-monitor", for_others[i].name);
    return OTA_OK;
}

static enum ota_error check_list(const struct command_line *line, struct ota_failure *failure)
{
    static const struct {
        enum option option;
        const char *name;
    } for_uploads[] = {{OPTION_IP, "-i"},           {OPTION_FILE, "-f"},
                       {OPTION_HOSTS, "--hosts"},   {OPTION_OUTPUT, "--output"},
                       {OPTION_SIGN, "--sign"},     {OPTION_WAIT, "--wait"},
                       {OPTION_RESUME, "--resume"}, {OPTION_DEADLINE, "--deadline"}};
    for (size_t i = 0; i < sizeof for_uploads / sizeof *for_uploads; i++)
        if (line->given[for_uploads[i].option])
            return ota_fail(failure, OTA_E_USAGE,
                            "-l prints all boards and uploads nothing; leave %s out",
                            for_uploads[i].name);
    return OTA_OK;
}

static enum ota_error check_check(const struct command_line *line, struct ota_failure *failure)
{
    if (line->given[OPTION_LIST] || line->given[OPTION_HOSTS] || line->given[OPTION_OUTPUT])
        return ota_fail(failure, OTA_E_USAGE, "--check only examines a file; leave %s out",
                        line->given[OPTION_LIST]    ? "-l"
                        : line->given[OPTION_HOSTS] ? "--hosts"
                                                    : "--output");
    if (!line->given[OPTION_FILE])
        return ota_fail(failure, OTA_E_USAGE, "no file is named; add -f FILE");
    return OTA_OK;
}

/* A mistyped name of a file, or "list", is a board: then that is said. */
static enum ota_error reject_no_image(const struct command_line *line, struct ota_failure *failure)
{
    char shown[160];

    if (!line->word)
        return ota_fail(failure, OTA_E_USAGE, "no firmware is named; add -f FILE");
    return ota_fail(failure, OTA_E_USAGE,
                    "no firmware is named; add -f FILE (no file is called '%s', so it is taken for "
                    "a board)",
                    escape_string(shown, sizeof shown, line->word));
}

static enum ota_error check_output(const struct command_line *line, struct ota_failure *failure)
{
    if (names_any_board(line))
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

/* Whether a board's log is wanted; then boards need no firmware. */
static bool wants_log(const struct command_line *line)
{
    return line->given[OPTION_MONITOR] || line->given[OPTION_EXPECT] || line->given[OPTION_REJECT];
}

/* Whether something is said of an upload; then -f was forgotten. */
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

static bool expects_nothing(const struct command_line *line)
{
    return !line->given[OPTION_EXPECT_VERSION] && !has_expect(line) && !has_reject(line);
}

static bool has_json(const struct command_line *line)
{
    return line->given[OPTION_JSON];
}

static bool has_online(const struct command_line *line)
{
    return line->given[OPTION_ONLINE];
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
        {OPTION_EXPECT_TIMEOUT, expects_nothing,
         "--expect-timeout limits the wait for --expect; add --expect REGEX"},
        {OPTION_RAW, has_json, "--raw and --json contradict each other; leave one out"},
        {OPTION_EXPECT_VERSION, lacks_image,
         "--expect-version reads the version after an upload; add -f FILE"},
        {OPTION_EXPECT_VERSION, has_online,
         "--expect-version waits for the restart itself; leave --online out"},
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

static enum ota_error check_upload(const struct options *options, const struct command_line *line,
                                   struct ota_failure *failure)
{
    const bool all_have_files = line->given[OPTION_HOSTS] && !line->given[OPTION_IP];

    if (!names_any_board(line) && !names_upload(line) && !line->given[OPTION_FILE] &&
        !wants_log(line))
        return ota_fail(
            failure, OTA_E_USAGE,
            "no board is named, and no firmware\n"
            "  To upload a sketch: esp-ota -i HOST -f FIRMWARE.bin\n"
            "  To see which boards there are: esp-ota -l; for all options: esp-ota --help");
    if (!names_any_board(line) && !options->chooses)
        return ota_fail(failure, OTA_E_USAGE,
                        "no board is named; add -i HOST, the board's name or address, or --all");
    if (!line->given[OPTION_FILE] && (!all_have_files || options->discovers) &&
        (!wants_log(line) || names_upload(line)))
        return reject_no_image(line, failure);
    return check_log(line, failure);
}

static enum ota_error check_serve(const struct command_line *line, struct ota_failure *failure)
{
    static const struct {
        enum option option;
        const char *name;
    } for_uploads[] = {{OPTION_ALL, "--all"},         {OPTION_MATCH, "--match"},
                       {OPTION_BOARD, "--board"},     {OPTION_PORT, "-p"},
                       {OPTION_WAIT, "--wait"},       {OPTION_MONITOR, "--monitor"},
                       {OPTION_EXPECT, "--expect"},   {OPTION_REJECT, "--reject"},
                       {OPTION_ONLINE, "--online"},   {OPTION_DEADLINE, "--deadline"},
                       {OPTION_DRY_RUN, "--dry-run"}, {OPTION_OUTPUT, "--output"}};

    for (size_t i = 0; i < sizeof for_uploads / sizeof *for_uploads; i++)
        if (line->given[for_uploads[i].option])
            return ota_fail(failure, OTA_E_USAGE,
                            "--serve waits for boards that fetch, and uploads nothing; leave %s "
                            "out",
                            for_uploads[i].name);
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

static enum ota_error check_serving(const struct command_line *line, struct ota_failure *failure)
{
    static const struct {
        enum option option;
        const char *name;
    } rows[] = {{OPTION_SERVE_FOR, "--serve-for"},
                {OPTION_UNTIL_CONFIRMED, "--until-confirmed"},
                {OPTION_SERVE_VERSION, "--serve-version"},
                {OPTION_TLS_CERT, "--tls-cert"},
                {OPTION_TLS_KEY, "--tls-key"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (line->given[rows[i].option] && !line->given[OPTION_SERVE])
            return ota_fail(failure, OTA_E_USAGE, "%s is about boards that fetch; add --serve",
                            rows[i].name);
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
    static const struct {
        enum option option;
        const char *name;
    } readers[] = {{OPTION_AUTH_FILE, "--auth-file"},
                   {OPTION_ENCRYPTION_KEY_FILE, "--encryption-key-file"},
                   {OPTION_HOSTS, "--hosts"},
                   {OPTION_FILE, "-f"}};
    const char *reader = NULL;

    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const char *path = line->value[readers[i].option];
        if (!path || !input_is_standard(path))
            continue;
        if (reader)
            return ota_fail(failure, OTA_E_USAGE,
                            "%s and %s cannot both be read from standard input", reader,
                            readers[i].name);
        reader = readers[i].name;
        if (readers[i].option == OPTION_FILE && isatty(STDIN_FILENO))
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

static enum ota_error check_presence(const struct options *options, const struct command_line *line,
                                     struct ota_failure *failure)
{
    if (line->given[OPTION_VERIFY_KEY] && !options->check && !sends_image(line))
        return ota_fail(
            failure, OTA_E_USAGE,
            "--verify-key needs an image to verify; add --check, or -i and -f for an upload");
    enum ota_error error = options->pluggable           ? check_pluggable(line, failure)
                           : options->check             ? check_check(line, failure)
                           : options->list              ? check_list(line, failure)
                           : options->serve.is_wanted   ? check_serve(line, failure)
                           : line->given[OPTION_OUTPUT] ? check_output(line, failure)
                                                        : check_upload(options, line, failure);
    if (error == OTA_OK)
        error = check_serving(line, failure);
    if (error != OTA_OK)
        return error;
    if (line->given[OPTION_SIGN_HASH] && !line->value[OPTION_SIGN])
        return ota_fail(failure, OTA_E_USAGE,
                        "--sign-hash is for --sign; add --sign KEY, or leave it out");
    if (line->given[OPTION_AUTH] && line->given[OPTION_AUTH_FILE])
        return ota_fail(failure, OTA_E_USAGE,
                        "-a and --auth-file both give a password; leave one of them out");
    error = check_standard_input(line, failure);
    return error == OTA_OK ? check_quiet(line, failure) : error;
}

/* The time of --wait is part of the upload's. */
static enum ota_error check_deadline(const struct options *options, struct ota_failure *failure)
{
    if (options->fleet.deadline_us && options->fleet.deadline_us <= options->fleet.wait_us)
        return ota_fail(
            failure, OTA_E_USAGE,
            "--deadline would end the upload before --wait is over; give it more seconds "
            "than --wait");
    return OTA_OK;
}

static enum ota_error check_families(const struct options *options, const struct command_line *line,
                                     struct ota_failure *failure)
{
    char name[COMMAND_LINE_NAME_MAX];

    if (options->upload.has_source && options->upload.source.has_address &&
        is_other_family(options, &options->upload.source.address))
        command_line_name(name, line, OPTION_HOST_IP);
    else if (options->espota.has_peer && is_other_family(options, &options->espota.peer))
        command_line_name(name, line, OPTION_PEER);
    else
        return OTA_OK;

    return ota_fail(failure, OTA_E_USAGE,
                    "-i and %s must both be IPv4 addresses or both IPv6 addresses", name);
}

/* With --serve, a board is told to fetch by its page. */
static enum ota_error check_told(const struct options *options, struct ota_failure *failure)
{
    char shown[2 * TARGET_NAME_MAX];

    for (size_t i = 0; i < options->plan.boards.count && options->serve.is_wanted; i++) {
        const struct target *target = &options->plan.boards.lines[i].target;

        if (!target->scheme || strcmp(target->scheme->name, "http") != 0)
            return ota_fail(failure, OTA_E_USAGE,
                            "--serve waits for boards that fetch, and uploads nothing; leave -i "
                            "out, or write -i http://%s if it runs Tasmota, which can be told to "
                            "fetch",
                            escape_string(shown, sizeof shown, target->name));
    }
    return OTA_OK;
}

/* Moves the patterns from the line to the options, which keep them as long as the compiled ones. */
static enum ota_error set_expected(struct options *options, struct command_line *line,
                                   struct ota_failure *failure)
{
    options->expected = line->expected;
    options->rejected = line->rejected;
    line->expected = line->rejected = (struct strings){0};
    if (options->expected.count == 0 && options->rejected.count == 0)
        return OTA_OK;
    enum ota_error error = expect_new(
        &options->expect, (const char *const *)options->expected.items, options->expected.count,
        (const char *const *)options->rejected.items, options->rejected.count, failure);
    options->log.expect = options->expect;
    return error;
}

/* Some settings concern several parts of the program; others follow from what is set. */
static void share_settings(struct options *options)
{
    struct plan_settings *plan = &options->plan;
    const bool is_log_judged = options->log.expect;

    if (!options->upload.expect_version_us)
        options->upload.expect_version_us = options->log.expect_timeout_us;
    options->upload.is_verified = plan->verify_key != NULL;
    plan->force = options->upload.force;
    plan->needs_sha256 = options->report.json || options->metrics;
    plan->may_have_rest = options->serve.is_wanted;
    plan->may_lack_image = options->log.monitor || is_log_judged;
    plan->prepare.command = options->upload.command;
    plan->prepare.port = plan->port;
    plan->prepare.is_quiet = options->check;
    plan->prepare.is_for_boards =
        plan->boards.count > 0 || plan->hosts || options->discovers || options->serve.is_wanted;
    options->transcript.to_stdout = options->log.monitor && !options->report.json;
    options->transcript.raw = options->log.raw;
}

/* -a, else --auth-file, else ESP_OTA_AUTH, which has been read already. */
static enum ota_error set_password(struct options *options, struct command_line *line,
                                   struct ota_failure *failure)
{
    enum exposure exposure = EXPOSED_TO_NOBODY;
    char *password = line->password;
    const char *path = line->value[OPTION_AUTH_FILE];

    line->password = NULL;
    if (!password && path) {
        enum ota_error error = password_from_file(&password, path, &exposure, failure);
        if (error != OTA_OK)
            return error;
    }
    if (!options->report.quiet)
        exposure_warn(exposure, path, "password");
    if (password) {
        secret_free(options->plan.password);
        options->plan.password = password;
    }
    return OTA_OK;
}

/* --encryption-key-file, else ESP_OTA_ENCRYPTION_KEY, which has been read already. */
static enum ota_error set_encryption_key(struct options *options, const struct command_line *line,
                                         struct ota_failure *failure)
{
    enum exposure exposure;
    unsigned char *key;
    const char *path = line->value[OPTION_ENCRYPTION_KEY_FILE];

    if (!path)
        return OTA_OK;
    if (encryption_key_from_file(&key, path, &exposure, failure) != OTA_OK)
        return failure->error;

    if (!options->report.quiet)
        exposure_warn(exposure, path, "encryption key");
    secret_free(options->plan.encryption_key);
    options->plan.encryption_key = key;
    return OTA_OK;
}

static void warn_ignored(const struct options *options, const struct command_line *line)
{
    char ignored[OPTIONS_IGNORED_MAX];

    options_describe_ignored(ignored, line, options_command(line));
    if (*ignored && !options->report.quiet)
        diag_warning("%s", ignored);
}

/* Reads the configuration, and adopts what is not typed. */
static enum ota_error configure(struct config *config, struct command_line *line,
                                const struct options *options, struct ota_failure *failure)
{
    const struct config_environment environment = {.has_password = options->plan.password,
                                                   .has_key = options->plan.encryption_key};

    if (config_load(config, line->value[OPTION_CONFIG], failure) != OTA_OK)
        return failure->error;
    for (size_t i = 0; i < config->notes.count && !options->report.quiet; i++)
        diag_warning("%s", config->notes.items[i]);
    enum ota_error error = config_options_check(config, failure);
    if (error == OTA_OK)
        error = config_boards_check(config, failure);
    return error == OTA_OK ? config_options_adopt(line, config, &environment, failure) : error;
}

/* Names the file and the line of a setting that cannot be used. */
static enum ota_error blame_setting(const struct command_line *line, enum option option,
                                    struct ota_failure *failure)
{
    return line->origin[option] ? config_blame(line->origin[option], failure) : failure->error;
}

static enum ota_error set_secrets(struct options *options, struct command_line *line,
                                  const struct config *config, struct ota_failure *failure)
{
    if (set_password(options, line, failure) != OTA_OK)
        return blame_setting(line, OPTION_AUTH_FILE, failure);
    if (set_encryption_key(options, line, failure) != OTA_OK)
        return blame_setting(line, OPTION_ENCRYPTION_KEY_FILE, failure);
    if (!options->report.quiet)
        config_boards_warn(&options->plan.boards, line, config, options->plan.password,
                           options->plan.encryption_key);
    return OTA_OK;
}

static enum ota_error apply(struct options *options, struct command_line *line,
                            const struct config *config, struct ota_failure *failure)
{
    if (line->is_config_broken && !options->report.quiet)
        diag_warning("/etc/popt or ~/.popt could not be read; aliases in it may be missing");
    for (size_t i = 0; i < line->unfilled.count && !options->report.quiet; i++)
        diag_warning("%s", line->unfilled.items[i]);
    enum ota_error error = check_presence(options, line, failure);
    if (error != OTA_OK)
        return error;

    config_options_activate(line);
    set_flags(options, line);
    error = options_set_values(options, line, config, failure);
    if (error == OTA_OK)
        error = check_told(options, failure);
    if (error == OTA_OK && set_expected(options, line, failure) != OTA_OK)
        error = blame_setting(line, line->origin[OPTION_EXPECT] ? OPTION_EXPECT : OPTION_REJECT,
                              failure);
    if (error == OTA_OK)
        error = check_families(options, line, failure);
    if (error == OTA_OK)
        error = check_deadline(options, failure);
    if (error == OTA_OK)
        error = set_secrets(options, line, config, failure);
    if (error == OTA_OK) {
        share_settings(options);
        warn_ignored(options, line);
    }
    return error;
}

/* Everything but --help and its like: reads the configuration, and prints or applies it. */
static enum options_outcome use_line(struct options *options, struct command_line *line,
                                     struct ota_failure *failure)
{
    struct config config = {0};
    enum options_outcome outcome = OPTIONS_RUN;
    enum ota_error error = configure(&config, line, options, failure);

    if (error == OTA_OK)
        set_flags(options, line);
    if (error == OTA_OK && line->typed[OPTION_SHOW_CONFIG]) {
        error = show_config(line, &config, options, failure);
        outcome = OPTIONS_DONE;
    } else if (error == OTA_OK) {
        error = apply(options, line, &config, failure);
    }
    config_free(&config);
    return error == OTA_OK ? outcome : OPTIONS_ERROR;
}

static bool print_information(const struct command_line *line, enum ota_error *error,
                              struct ota_failure *failure)
{
    if (line->given[OPTION_HELP])
        *error = options_print_help(failure);
    else if (line->given[OPTION_USAGE])
        *error = options_print_usage(failure);
    else if (line->given[OPTION_VERSION])
        *error = options_print_version(failure);
    else
        return false;
    return true;
}

enum options_outcome options_parse(struct options *options, int argc, char **argv,
                                   struct ota_failure *failure)
{
    struct command_line line;
    enum options_outcome outcome = OPTIONS_RUN;

    set_defaults(options);
    enum ota_error error = command_line_read(&line, argc, argv, failure);
    set_flags(options, &line);
    if (password_from_environment(&options->plan.password) < 0 && error == OTA_OK)
        error = ota_fail_no_memory(failure);
    struct ota_failure key_failure;
    if (encryption_key_from_environment(&options->plan.encryption_key, &key_failure) != OTA_OK &&
        error == OTA_OK)
        error = (*failure = key_failure).error;
    /* --help wins over any other error on the command line. */
    if (print_information(&line, &error, failure))
        outcome = OPTIONS_DONE;
    else if (error == OTA_OK)
        outcome = use_line(options, &line, failure);
    command_line_free(&line);
    return error == OTA_OK ? outcome : OPTIONS_ERROR;
}

void options_free(struct options *options)
{
    struct plan_settings *plan = &options->plan;

    free(options->output);
    free(options->metrics);
    free(options->patterns.name);
    free(options->patterns.board);
    hosts_free(&plan->boards);
    free(plan->hosts);
    free(plan->file);
    secret_free(plan->password);
    secret_free(plan->encryption_key);
    free(plan->resume);
    free(plan->sign);
    free(plan->verify_key);
    expect_free(options->expect);
    strings_free(&options->expected);
    strings_free(&options->rejected);
    free(options->serve.version);
    free(options->serve.certificate);
    free(options->serve.key);
    free(options->transcript.path);
    free(options->web.field);
    free(options->web.user);
    free(options->web.ca_file);
    free(options->upload.expect_version);
    *options = (struct options){0};
}
