/*
 * options.c: turns the command line into validated settings. options_values.c validates single
 * values, options_rules.c which options go together, and this file what depends on both. Opens only
 * the configuration, and the files of the password and the key; never exits.
 */
#include "cli/options.h"

#include "base/beneath.h"
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
#include "cli/options_rules.h"
#include "cli/options_use.h"
#include "cli/options_values.h"
#include "cli/show_config.h"
#include "cli/subcommand.h"
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

/* Whether somebody can be asked which boards are meant. */
static bool can_choose(const struct command_line *line)
{
    return options_command(line) == COMMAND_UPLOAD && !line->given[OPTION_QUIET] &&
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
    options->chooses = can_choose(line) && !options_name_boards(line->given);
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

    if (options->upload.source.has_address &&
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

/* With https, the name in the URL has to be in the board's certificate. */
static enum ota_error check_certifiable(const struct options *options, struct ota_failure *failure)
{
    char shown[2 * TARGET_NAME_MAX];

    for (size_t i = 0; i < options->plan.boards.count && !options->web.is_insecure; i++) {
        const struct target *target = &options->plan.boards.lines[i].target;

        if (target_is_https(target) && !target_suits_certificate(target))
            return ota_fail(failure, OTA_E_USAGE,
                            "no certificate can be for \"%s\", so https cannot verify this board; "
                            "write its host name or address behind https://, or accept any "
                            "certificate with --insecure",
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
    options->upload.awaits_return = options->log.online_us > 0;
    options->upload.is_verified = plan->verify_key != NULL;
    plan->force = options->upload.force;
    plan->needs_sha256 = options->report.json || options->metrics;
    plan->is_served = options->serve.is_wanted;
    plan->may_lack_image = options->log.monitor || is_log_judged;
    plan->judges_logs = is_log_judged;
    plan->prepare.command = options->upload.command;
    plan->prepare.port = plan->port;
    plan->prepare.is_quiet = options->check;
    plan->prepare.is_for_boards =
        plan->boards.count > 0 || plan->hosts || options->discovers || options->serve.is_wanted;
    options->transcript.to_stdout = options->log.monitor && !options->report.json;
    options->transcript.raw = options->log.raw;
}

/* The path of a file as it was written, without the folder that the configuration adds. */
static const char *written_path(const struct command_line *line, enum option option)
{
    const struct config_entry *origin = line->origin[option];

    return origin ? origin->value : line->value[option];
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
        enum ota_error error = password_from_file(
            &password, path, written_path(line, OPTION_AUTH_FILE), &exposure, failure);
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
    if (encryption_key_from_file(&key, path, written_path(line, OPTION_ENCRYPTION_KEY_FILE),
                                 &exposure, failure) != OTA_OK)
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

/* Without an upload, somebody who names a port may mean the log's. That of a board in the
 * configuration is there for its uploads. */
static void warn_upload_port(const struct options *options, const struct command_line *line)
{
    unsigned port = line->typed[OPTION_PORT] ? options->plan.port : 0;

    if (options->report.quiet || options_command(line) != COMMAND_UPLOAD ||
        line->given[OPTION_FILE] || line->given[OPTION_HOSTS])
        return;
    for (size_t i = 0; i < options->plan.boards.count && !port; i++)
        if (!options->plan.boards.lines[i].label)
            port = options->plan.boards.lines[i].target.port;
    if (port && port != options->log.monitor_port)
        diag_warning("the log is read at TCP port %u, not at port %u, which is for uploads; "
                     "--monitor=%u reads it there",
                     options->log.monitor_port, port, port);
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
    if (line->word)
        config_boards_suggest(line->similar, sizeof line->similar, config, line->word);
    if (error == OTA_OK && line->subcommand &&
        !config_find_section(config, CONFIG_BOARD, line->subcommand, NULL))
        error = subcommand_reject(line->subcommand, failure);
    return error == OTA_OK ? config_options_adopt(line, config, &environment, failure) : error;
}

/* Names the file and the line of a setting that cannot be used. */
static enum ota_error blame_setting(const struct command_line *line, enum option option,
                                    struct ota_failure *failure)
{
    return line->origin[option] ? config_blame(line->origin[option], failure) : failure->error;
}

static enum ota_error set_values(struct options *options, struct command_line *line,
                                 const struct config *config, struct ota_failure *failure)
{
    if (options_set_values(options, line, config, failure) != OTA_OK)
        return failure->error;
    if (set_expected(options, line, failure) != OTA_OK)
        return blame_setting(line, line->origin[OPTION_EXPECT] ? OPTION_EXPECT : OPTION_REJECT,
                             failure);
    return OTA_OK;
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
    for (size_t i = 0; i < line->unfilled.count && !options->report.quiet; i++)
        diag_warning("%s", line->unfilled.items[i]);
    enum ota_error error = OTA_OK;
    if (options_command(line) == COMMAND_UPLOAD)
        error = options_check_port(line, failure);
    if (error == OTA_OK)
        error = options_check_rules(line, can_choose(line), failure);
    if (error != OTA_OK)
        return error;

    config_options_activate(line);
    set_flags(options, line);
    error = set_values(options, line, config, failure);
    if (error == OTA_OK)
        error = config_options_check_trust(line, &options->plan.boards, failure);
    if (error == OTA_OK && options->pluggable == PLUGGABLE_MONITOR)
        error = config_boards_add_all(&options->plan.boards, line, config, failure);
    if (error == OTA_OK)
        error = check_told(options, failure);
    if (error == OTA_OK)
        error = check_certifiable(options, failure);
    if (error == OTA_OK)
        error = check_families(options, line, failure);
    if (error == OTA_OK)
        error = check_deadline(options, failure);
    if (error == OTA_OK)
        error = set_secrets(options, line, config, failure);
    if (error == OTA_OK) {
        share_settings(options);
        memcpy(options->typed, line->typed, sizeof options->typed);
        warn_ignored(options, line);
        warn_upload_port(options, line);
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
        if (error == OTA_OK)
            error = set_values(options, line, &config, failure); /* for mistakes in them */
        outcome = OPTIONS_DONE;
    } else if (error == OTA_OK) {
        error = apply(options, line, &config, failure);
    }
    config_free(&config);
    return error == OTA_OK ? outcome : OPTIONS_ERROR;
}

/* An alias of a file that is not read is an unknown option, so this comes before any error. */
static void warn_unread(const struct command_line *line, const struct options *options)
{
    for (size_t i = 0; i < line->unread.count && !options->report.quiet; i++)
        diag_warning("%s", line->unread.items[i]);
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
        error == OTA_OK) {
        *failure = key_failure;
        error = key_failure.error;
    }
    /* --help wins over any other error on the command line. */
    if (print_information(&line, &error, failure)) {
        outcome = OPTIONS_DONE;
    } else {
        warn_unread(&line, options);
        if (error == OTA_OK)
            outcome = use_line(options, &line, failure);
    }
    command_line_free(&line);
    return error == OTA_OK ? outcome : OPTIONS_ERROR;
}

void options_free(struct options *options)
{
    struct plan_settings *plan = &options->plan;

    beneath_forget();
    input_forget();
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
