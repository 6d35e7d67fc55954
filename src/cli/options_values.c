/*
 * options_values.c: the value of each option, from text to what it means: one setter for each.
 * Prints nothing, opens nothing.
 */
#include "cli/options_values.h"

#include "base/error.h"
#include "base/escape.h"
#include "image/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHOWN_MAX = 160, /* of a value in a message */
    TIMEOUT_MAX_S = 3600,
    SIZE_LIMIT_MAX = 1 << 30,
    RETRIES_MAX = 1000,
    BOARDS_MAX = 10000,
    WAIT_MAX_S = 30 * 24 * 3600,
    BLOCK_MAX = 65536,
    ONLINE_DEFAULT_S = 60,
    ONLINE_MIN_S = 3,
};

static const char *show_value(char buffer[SHOWN_MAX], const char *value)
{
    return escape_string(buffer, SHOWN_MAX, value);
}

/* Decimal digits only: no sign, no space, no octal. *end points behind them. */
static bool parse_bounded_number(const char *text, uint64_t limit, uint64_t *number,
                                 const char **end)
{
    uint64_t value = 0;
    const char *digit = text;

    for (; *digit >= '0' && *digit <= '9'; digit++) {
        value = value * 10 + (uint64_t)(*digit - '0');
        if (value > limit)
            return false;
    }
    *number = value;
    *end = digit;
    return digit != text;
}

static enum ota_error set_targets(struct options *options, const struct command_line *line,
                                  struct ota_failure *failure)
{
    if (line->boards.count == 0)
        return OTA_OK;

    options->targets = calloc(line->boards.count, sizeof *options->targets);
    if (!options->targets)
        return ota_fail(failure, OTA_E_INTERNAL, "out of memory");
    for (; options->target_count < line->boards.count; options->target_count++)
        if (target_parse(&options->targets[options->target_count],
                         line->boards.items[options->target_count], failure) != OTA_OK)
            return failure->error;
    return OTA_OK;
}

/* Runs after set_targets(): -i may name a port, too. */
static enum ota_error set_port(struct options *options, const char *value,
                               struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];
    uint16_t port;

    if (!target_parse_port(&port, value, false))
        return ota_fail(failure, OTA_E_USAGE, "--port '%s' is not a port number from 1 to 65535",
                        show_value(buffer, value));
    for (size_t i = 0; i < options->target_count; i++) {
        struct target *target = &options->targets[i];
        if (target->port != 0 && target->port != port)
            return ota_fail(failure, OTA_E_USAGE,
                            "-i names port %u, but -p names port %u; leave one of them out",
                            target->port, port);
        target->port = port;
    }
    options->port = port;
    return OTA_OK;
}

static bool is_unspecified(const struct address *address)
{
    if (address->any.sa_family == AF_INET)
        return address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

/* 0.0.0.0 is espota.py's default, and some of its callers spell it out. */
static enum ota_error set_host_ip(struct options *options, const char *value,
                                  struct ota_failure *failure)
{
    const struct source *source = &options->source;
    enum ota_error error = source_parse(&options->source, value, failure);

    options->has_source =
        error == OTA_OK && !(source->has_address && is_unspecified(&source->address));
    return error;
}

static enum ota_error set_host_port(struct options *options, const char *value,
                                    struct ota_failure *failure)
{
    char first[sizeof "65535"] = "", buffer[SHOWN_MAX];
    const char *dash = strchr(value, '-');
    if (!dash && target_parse_port(&options->port_first, value, true)) {
        options->port_last = options->port_first;
        return OTA_OK;
    }
    if (dash && (size_t)(dash - value) < sizeof first) {
        memcpy(first, value, (size_t)(dash - value));
        if (target_parse_port(&options->port_first, first, false) &&
            target_parse_port(&options->port_last, dash + 1, false) &&
            options->port_first <= options->port_last)
            return OTA_OK;
    }

    return ota_fail(
        failure, OTA_E_USAGE,
        "--host-port '%s' is neither a port number from 0 (any) to 65535 nor a range such "
        "as 10000-10100",
        show_value(buffer, value));
}

static enum ota_error set_peer(struct options *options, const char *value,
                               struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    options->peer_any = strcmp(value, "any") == 0;
    options->has_peer = !options->peer_any;
    if (options->peer_any ||
        (address_parse(&options->peer, value) && !is_unspecified(&options->peer)))
        return OTA_OK;
    return ota_fail(
        failure, OTA_E_USAGE,
        "--peer '%s' is neither the numeric IP address that the board connects from nor "
        "'any'",
        show_value(buffer, value));
}

static enum ota_error set_path(char **path, const char *option, const char *value,
                               struct ota_failure *failure)
{
    if (*value == '\0')
        return ota_fail(failure, OTA_E_USAGE, "the file name behind %s is empty", option);
    *path = strdup(value);
    return *path ? OTA_OK : ota_fail(failure, OTA_E_INTERNAL, "out of memory");
}

static enum ota_error set_pattern(char **pattern, const char *option, const char *value,
                                  struct ota_failure *failure)
{
    if (*value == '\0')
        return ota_fail(failure, OTA_E_USAGE,
                        "the pattern behind %s is empty; '*' fits every board", option);
    *pattern = strdup(value);
    return *pattern ? OTA_OK : ota_fail(failure, OTA_E_INTERNAL, "out of memory");
}

static enum ota_error set_file_option(struct options *options, const char *value,
                                      struct ota_failure *failure)
{
    return set_path(&options->file, "-f", value, failure);
}

static enum ota_error set_sign(struct options *options, const char *value,
                               struct ota_failure *failure)
{
    return set_path(&options->sign, "--sign", value, failure);
}

static enum ota_error set_sign_hash(struct options *options, const char *value,
                                    struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];
    if (sign_hash_find(&options->sign_hash, value))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "--sign-hash '%s' is none of sha256, sha384 and sha512",
                    show_value(buffer, value));
}

static enum ota_error set_verify_key(struct options *options, const char *value,
                                     struct ota_failure *failure)
{
    return set_path(&options->verify_key, "--verify-key", value, failure);
}

static enum ota_error set_min_auth(struct options *options, const char *value,
                                   struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    if (auth_find_least(&options->min_auth, value))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "--min-auth '%s' is neither md5 nor sha256",
                    show_value(buffer, value));
}

static enum ota_error set_output(struct options *options, const char *value,
                                 struct ota_failure *failure)
{
    if (strcmp(value, "-") == 0)
        return ota_fail(failure, OTA_E_USAGE,
                        "--output writes a file and not to standard output; give it a name");
    return set_path(&options->output, "--output", value, failure);
}

static enum ota_error set_hosts(struct options *options, const char *value,
                                struct ota_failure *failure)
{
    return set_path(&options->hosts, "--hosts", value, failure);
}

static enum ota_error set_match(struct options *options, const char *value,
                                struct ota_failure *failure)
{
    return set_pattern(&options->match, "--match", value, failure);
}

static enum ota_error set_board(struct options *options, const char *value,
                                struct ota_failure *failure)
{
    return set_pattern(&options->board, "--board", value, failure);
}

static enum ota_error set_resume(struct options *options, const char *value,
                                 struct ota_failure *failure)
{
    return set_path(&options->resume, "--resume", value, failure);
}

static enum ota_error set_max_size(struct options *options, const char *value,
                                   struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];
    uint64_t size;
    const char *unit;

    if (parse_bounded_number(value, SIZE_LIMIT_MAX, &size, &unit)) {
        int shift = *unit == 'K' ? 10 : *unit == 'M' ? 20 : 0;
        if (shift != 0)
            unit++;
        size <<= shift;
        if (*unit == '\0' && size >= IMAGE_SIZE_MIN && size <= SIZE_LIMIT_MAX) {
            options->size_limit = (size_t)size;
            return OTA_OK;
        }
    }
    return ota_fail(
        failure, OTA_E_USAGE,
        "--max-size '%s' is not a number of bytes from %d to 1024M (K and M are allowed)",
        show_value(buffer, value), IMAGE_SIZE_MIN);
}

/* Seconds with up to three decimals, as microseconds: tests and impatient scripts like fractions.
 */
static bool parse_seconds(const char *text, int64_t limit_s, int64_t *us)
{
    uint64_t seconds = 0, fraction = 0;
    const char *end = text;
    bool is_valid = *text == '.' || parse_bounded_number(text, (uint64_t)limit_s, &seconds, &end);
    int64_t unit_us = 1000000;

    if (is_valid && *end == '.') {
        const char *digits = end + 1;
        is_valid = parse_bounded_number(digits, 999, &fraction, &end) && end - digits <= 3;
        for (; is_valid && digits < end; digits++)
            unit_us /= 10;
    }
    if (!is_valid || *end != '\0')
        return false;
    *us = (int64_t)seconds * 1000000 + (int64_t)fraction * unit_us;
    return *us <= limit_s * 1000000;
}

/* "; write 120" for "2m", and so on; "" for what is no such time, or more than limit_s. */
static const char *suggest_seconds(char buffer[SHOWN_MAX], const char *value, int limit_s)
{
    static const struct {
        const char *name;
        uint64_t seconds;
    } units[] = {{"s", 1},        {"sec", 1},  {"seconds", 1},  {"m", 60},   {"min", 60},
                 {"minutes", 60}, {"h", 3600}, {"hours", 3600}, {"d", 86400}};
    uint64_t number;
    const char *unit;

    buffer[0] = '\0';
    if (!parse_bounded_number(value, WAIT_MAX_S, &number, &unit))
        return buffer;
    unit += strspn(unit, " ");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0 && number * units[i].seconds <= (uint64_t)limit_s)
            snprintf(buffer, SHOWN_MAX, "; write %ju", (uintmax_t)(number * units[i].seconds));
    return buffer;
}

static enum ota_error not_seconds(const char *option, const char *value, const char *least,
                                  int limit_s, struct ota_failure *failure)
{
    char shown[SHOWN_MAX], suggestion[SHOWN_MAX];

    return ota_fail(failure, OTA_E_USAGE, "%s '%s' is not a number of seconds from %s to %d%s",
                    option, show_value(shown, value), least, limit_s,
                    suggest_seconds(suggestion, value, limit_s));
}

static enum ota_error set_duration(int64_t *us, const char *option, const char *value,
                                   struct ota_failure *failure)
{
    if (parse_seconds(value, WAIT_MAX_S, us) && *us > 0)
        return OTA_OK;
    return not_seconds(option, value, "0.001", WAIT_MAX_S, failure);
}

static enum ota_error set_timeout(struct options *options, const char *value,
                                  struct ota_failure *failure)
{
    if (parse_seconds(value, TIMEOUT_MAX_S, &options->timeout_us) && options->timeout_us > 0)
        return OTA_OK;
    return not_seconds("--timeout", value, "0.001", TIMEOUT_MAX_S, failure);
}

static enum ota_error set_wait(struct options *options, const char *value,
                               struct ota_failure *failure)
{
    if (parse_seconds(value, WAIT_MAX_S, &options->wait_us))
        return OTA_OK;
    return not_seconds("--wait", value, "0", WAIT_MAX_S, failure);
}

/* A number of something from least to limit. */
static enum ota_error set_number(unsigned *number, const char *option, const char *value,
                                 unsigned least, unsigned limit, struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];
    uint64_t parsed;
    const char *end;

    if (!parse_bounded_number(value, limit, &parsed, &end) || *end != '\0' || parsed < least)
        return ota_fail(failure, OTA_E_USAGE, "%s '%s' is not a number from %u to %u", option,
                        show_value(buffer, value), least, limit);
    *number = (unsigned)parsed;
    return OTA_OK;
}

static enum ota_error set_retries(struct options *options, const char *value,
                                  struct ota_failure *failure)
{
    return set_number(&options->retries, "--retries", value, 0, RETRIES_MAX, failure);
}

static enum ota_error set_deadline(struct options *options, const char *value,
                                   struct ota_failure *failure)
{
    return set_duration(&options->deadline_us, "--deadline", value, failure);
}

static enum ota_error set_jobs(struct options *options, const char *value,
                               struct ota_failure *failure)
{
    return set_number(&options->jobs, "--jobs", value, 1, BOARDS_MAX, failure);
}

static enum ota_error set_canary(struct options *options, const char *value,
                                 struct ota_failure *failure)
{
    return set_number(&options->canaries, "--canary", value, 1, BOARDS_MAX, failure);
}

static enum ota_error set_max_failures(struct options *options, const char *value,
                                       struct ota_failure *failure)
{
    return set_number(&options->failures_max, "--max-failures", value, 1, BOARDS_MAX, failure);
}

static enum ota_error set_block(struct options *options, const char *value,
                                struct ota_failure *failure)
{
    unsigned block = 0;
    enum ota_error error = set_number(&block, "--block", value, 1, BLOCK_MAX, failure);
    options->block = block;
    return error;
}

/* "": --monitor alone */
static enum ota_error set_monitor(struct options *options, const char *value,
                                  struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];
    if (*value == '\0' || target_parse_port(&options->monitor_port, value, false))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "--monitor '%s' is not a port number from 1 to 65535",
                    show_value(buffer, value));
}

static enum ota_error set_monitor_for(struct options *options, const char *value,
                                      struct ota_failure *failure)
{
    return set_duration(&options->monitor_for_us, "--monitor-for", value, failure);
}

static enum ota_error set_expect_timeout(struct options *options, const char *value,
                                         struct ota_failure *failure)
{
    return set_duration(&options->expect_timeout_us, "--expect-timeout", value, failure);
}

static enum ota_error set_online(struct options *options, const char *value,
                                 struct ota_failure *failure)
{
    char shown[SHOWN_MAX], suggestion[SHOWN_MAX];

    options->online_us = ONLINE_DEFAULT_S * INT64_C(1000000);
    if (*value == '\0' || (parse_seconds(value, WAIT_MAX_S, &options->online_us) &&
                           options->online_us >= ONLINE_MIN_S * INT64_C(1000000)))
        return OTA_OK;
    return ota_fail(
        failure, OTA_E_USAGE,
        "--online '%s' is not a number of seconds from %d to %d%s (no board restarts faster)",
        show_value(shown, value), ONLINE_MIN_S, WAIT_MAX_S,
        suggest_seconds(suggestion, value, WAIT_MAX_S));
}

static enum ota_error set_timestamps(struct options *options, const char *value,
                                     struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    options->timestamps = *value ? TIMESTAMPS_WALL : TIMESTAMPS_SINCE_START;
    if (*value == '\0' || strcmp(value, "wall") == 0)
        return OTA_OK;
    return ota_fail(
        failure, OTA_E_USAGE,
        "--timestamps '%s': leave the value out for the seconds since the start, or write "
        "'wall' for the time of day",
        show_value(buffer, value));
}

static enum ota_error set_log(struct options *options, const char *value,
                              struct ota_failure *failure)
{
    return set_path(&options->log, "--log", value, failure);
}

/* In the order in which they are applied. */
static const struct {
    enum option option;
    enum ota_error (*set)(struct options *options, const char *value, struct ota_failure *failure);
} setters[] = {
    {OPTION_PORT, set_port}, /* -i may name one, too */
    {OPTION_FILE, set_file_option},
    {OPTION_MIN_AUTH, set_min_auth},
    {OPTION_SIGN, set_sign},
    {OPTION_SIGN_HASH, set_sign_hash},
    {OPTION_VERIFY_KEY, set_verify_key},
    {OPTION_OUTPUT, set_output},
    {OPTION_HOSTS, set_hosts},
    {OPTION_RESUME, set_resume},
    {OPTION_MATCH, set_match},
    {OPTION_BOARD, set_board},
    {OPTION_MAX_SIZE, set_max_size},
    {OPTION_HOST_IP, set_host_ip},
    {OPTION_HOST_PORT, set_host_port},
    {OPTION_PEER, set_peer},
    {OPTION_TIMEOUT, set_timeout},
    {OPTION_WAIT, set_wait},
    {OPTION_RETRIES, set_retries},
    {OPTION_DEADLINE, set_deadline},
    {OPTION_BLOCK, set_block},
    {OPTION_JOBS, set_jobs},
    {OPTION_CANARY, set_canary},
    {OPTION_MAX_FAILURES, set_max_failures},
    {OPTION_MONITOR, set_monitor},
    {OPTION_MONITOR_FOR, set_monitor_for},
    {OPTION_TIMESTAMPS, set_timestamps},
    {OPTION_LOG, set_log},
    {OPTION_EXPECT_TIMEOUT, set_expect_timeout},
    {OPTION_ONLINE, set_online},
};

enum ota_error options_set_values(struct options *options, const struct command_line *line,
                                  struct ota_failure *failure)
{
    enum ota_error error = set_targets(options, line, failure);
    for (size_t i = 0; i < sizeof setters / sizeof *setters && error == OTA_OK; i++) {
        const char *value = line->value[setters[i].option];
        if (value)
            error = setters[i].set(options, value, failure);
    }
    return error;
}
