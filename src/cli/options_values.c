/*
 * options_values.c: parses and validates the value of each option. Prints nothing, opens nothing.
 */
#include "cli/options_values.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/config_boards.h"
#include "cli/spelling.h"
#include "image/image.h"
#include "secrets/shown.h"
#include "upload/protocols.h"
#include "upload/web/page_table.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHOWN_MAX = 160, /* of a value in a message */
    TIMEOUT_MAX_S = 3600,
    SIZE_LIMIT_MAX = 1024 * MIB,
    RETRIES_MAX = 1000,
    BOARDS_MAX = 10000,
    WAIT_MAX_S = 30 * 24 * 3600,
    BLOCK_MAX = 65536,
    ONLINE_DEFAULT_S = 60,
    ONLINE_MIN_S = 3,
    SERVE_VERSION_MAX = 120,
};

static const char SERVE_PORT_DEFAULT[] = "8080";

enum value_kind { KIND_OTHER, KIND_INPUT, KIND_OUTPUT, KIND_PATTERN, KIND_NUMBER, KIND_SECONDS };

/* How the value of an option is parsed, and where it is stored. */
struct setting {
    enum option option;
    /* KIND_OTHER only. */
    enum ota_error (*set)(struct options *options, const char *name, const char *value,
                          struct ota_failure *failure);
    enum value_kind kind;
    size_t offset;  /* of a char *, an unsigned or an int64_t (microseconds) in struct options */
    unsigned least; /* of a number; of seconds: milliseconds */
    unsigned limit; /* of a number, or of seconds */
};

static const char *show_value(char buffer[SHOWN_MAX], const char *value)
{
    return escape_board(buffer, SHOWN_MAX, value);
}

static enum ota_error reject_port(const char *name, const char *value, struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    if (target_is_serial_port(value))
        return ota_fail(failure, OTA_E_USAGE,
                        "%s '%s' is a serial port, but the network is used: leave it out, and name "
                        "the board with -i (\"esp-ota -l\" lists the boards)",
                        name, show_value(buffer, value));
    return ota_fail(failure, OTA_E_USAGE, "%s '%s' is not a port number from 1 to 65535", name,
                    show_value(buffer, value));
}

static enum ota_error set_port(struct options *options, const char *name, const char *value,
                               struct ota_failure *failure)
{
    uint16_t port;

    if (!target_parse_port(&port, value, false))
        return reject_port(name, value, failure);
    options->plan.port = port;
    return OTA_OK;
}

enum ota_error options_check_port(const struct command_line *line, struct ota_failure *failure)
{
    char name[COMMAND_LINE_NAME_MAX];
    uint16_t port;

    if (!line->typed[OPTION_PORT] || target_parse_port(&port, line->value[OPTION_PORT], false))
        return OTA_OK;
    return reject_port(command_line_name(name, line, OPTION_PORT), line->value[OPTION_PORT],
                       failure);
}

/* -p is for all boards; a configured port for those without another. */
static enum ota_error spread_port(struct options *options, const struct command_line *line,
                                  struct ota_failure *failure)
{
    const uint16_t port = options->plan.port;

    for (size_t i = 0; port != 0 && i < options->plan.boards.count; i++) {
        struct target *target = &options->plan.boards.lines[i].target;
        if (target->port != 0 && target->port != port && line->typed[OPTION_PORT])
            return ota_fail(failure, OTA_E_USAGE,
                            "-i names port %u, but -p names port %u; leave one of them out",
                            target->port, port);
        if (target->port == 0)
            target->port = port;
    }
    return OTA_OK;
}

/* Rejects a link-local address without its interface: bind() would refuse it, and no peer's address
 * equals it. */
static enum ota_error check_scope(const struct address *address, const char *name,
                                  const char *value, struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    if (!address_lacks_interface(address))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "%s '%s' %s", name, show_value(buffer, value),
                    ADDRESS_LACKS_INTERFACE);
}

/* 0.0.0.0 is espota.py's default, and some of its callers spell it out. To espota.py, an empty
 * address is the same; callers give it for a variable that is not set. */
static enum ota_error set_host_ip(struct options *options, const char *name, const char *value,
                                  struct ota_failure *failure)
{
    struct source *source = &options->upload.source;
    char shown[SHOWN_MAX];

    if (value[0] == '\0')
        return OTA_OK;
    if (spelling_is_script(value))
        return ota_fail(failure, OTA_E_USAGE,
                        "'-I %s' is python's option and its script, which esp-ota replaces; leave "
                        "both out",
                        show_value(shown, value));
    enum ota_error error = source_parse(source, value, failure);
    if (error == OTA_OK && source->has_address)
        error = check_scope(&source->address, name, value, failure);
    if (error == OTA_OK && source->has_address && address_is_unspecified(&source->address))
        *source = source_any;
    return error;
}

static enum ota_error set_host_port(struct options *options, const char *name, const char *value,
                                    struct ota_failure *failure)
{
    char first[sizeof "65535"] = "", buffer[SHOWN_MAX];
    const char *dash = strchr(value, '-');
    if (!dash && target_parse_port(&options->espota.port_first, value, true)) {
        options->espota.port_last = options->espota.port_first;
        return OTA_OK;
    }
    if (dash && (size_t)(dash - value) < sizeof first) {
        memcpy(first, value, (size_t)(dash - value));
        if (target_parse_port(&options->espota.port_first, first, false) &&
            target_parse_port(&options->espota.port_last, dash + 1, false) &&
            options->espota.port_first <= options->espota.port_last)
            return OTA_OK;
    }

    return ota_fail(failure, OTA_E_USAGE,
                    "%s '%s' is neither a port number from 0 (any) to 65535 nor a range such "
                    "as 10000-10100",
                    name, show_value(buffer, value));
}

static enum ota_error set_peer(struct options *options, const char *name, const char *value,
                               struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    options->espota.peer_any = strcmp(value, "any") == 0;
    options->espota.has_peer = !options->espota.peer_any;
    if (options->espota.peer_any)
        return OTA_OK;
    if (address_parse(&options->espota.peer, value) &&
        !address_is_unspecified(&options->espota.peer))
        return check_scope(&options->espota.peer, name, value, failure);
    return ota_fail(failure, OTA_E_USAGE,
                    "%s '%s' is neither the numeric IP address that the board connects from nor "
                    "'any'",
                    name, show_value(buffer, value));
}

static enum ota_error set_path(char **path, const char *option, const char *value,
                               struct ota_failure *failure)
{
    if (*value == '\0')
        return ota_fail(failure, OTA_E_USAGE, "the file name after %s is empty", option);
    *path = strdup(value);
    return *path ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error set_output(char **path, const char *option, const char *value,
                                 struct ota_failure *failure)
{
    if (input_is_standard(value))
        return ota_fail(failure, OTA_E_USAGE,
                        "%s does not write to standard output; give it a file name", option);
    return set_path(path, option, value, failure);
}

/* A file that is only read, perhaps later, by a library, or not at all in this run. */
static enum ota_error set_input(char **path, const char *option, const char *value,
                                struct ota_failure *failure)
{
    char shown[SHOWN_MAX];

    if (input_remember(value) < 0)
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot read %s: %s",
                              escape_string(shown, sizeof shown, value), input_error(errno));
    return set_path(path, option, value, failure);
}

static enum ota_error set_pattern(char **pattern, const char *option, const char *value,
                                  struct ota_failure *failure)
{
    if (*value == '\0')
        return ota_fail(failure, OTA_E_USAGE,
                        "the pattern after %s is empty; '*' matches every board", option);
    *pattern = strdup(value);
    return *pattern ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error set_sign_hash(struct options *options, const char *name, const char *value,
                                    struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];
    if (sign_hash_find(&options->plan.prepare.sign_hash, value))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "%s '%s' is not one of sha256, sha384 and sha512", name,
                    show_value(buffer, value));
}

static enum ota_error set_min_auth(struct options *options, const char *name, const char *value,
                                   struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    if (auth_find_least(&options->plan.min_auth, value))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "%s '%s' is neither md5 nor sha256", name,
                    show_value(buffer, value));
}

static enum ota_error set_protocol(struct options *options, const char *name, const char *value,
                                   struct ota_failure *failure)
{
    char shown[SHOWN_MAX], names[SHOWN_MAX];

    options->plan.protocol = protocols_find(value);
    if (options->plan.protocol)
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "%s '%s' is not known; there is %s", name,
                    show_value(shown, value), protocols_list(names, sizeof names));
}

static enum ota_error check_own(const char *name, const char *value, upload_own_check_fn *check,
                                struct ota_failure *failure)
{
    char shown[SHOWN_WORD_MAX], why[UPLOAD_OWN_WHY_MAX];

    if (check(value, why))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "%s '%s' %s", name, shown_word(shown, value, ":"), why);
}

static enum ota_error set_page(struct options *options, const char *name, const char *value,
                               struct ota_failure *failure)
{
    options->web.page = page_table_find(value);
    return check_own(name, value, web_check_page, failure);
}

static enum ota_error set_field(struct options *options, const char *name, const char *value,
                                struct ota_failure *failure)
{
    if (check_own(name, value, web_check_field, failure) != OTA_OK)
        return failure->error;
    options->web.field = strdup(value);
    return options->web.field ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error set_user(struct options *options, const char *name, const char *value,
                               struct ota_failure *failure)
{
    if (check_own(name, value, web_check_user, failure) != OTA_OK)
        return failure->error;
    options->web.user = strdup(value);
    return options->web.user ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error set_expect_version(struct options *options, const char *name,
                                         const char *value, struct ota_failure *failure)
{
    if (!*value)
        return ota_fail(failure, OTA_E_USAGE, "the text after %s is empty", name);
    options->upload.expect_version = strdup(value);
    return options->upload.expect_version ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error set_max_size(struct options *options, const char *name, const char *value,
                                   struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];
    uint64_t size;
    const char *unit;

    if (parse_decimal(value, SIZE_LIMIT_MAX, &size, &unit)) {
        int shift = *unit == 'K' ? 10 : *unit == 'M' ? 20 : 0;
        if (shift != 0)
            unit++;
        size <<= shift;
        if (*unit == '\0' && size >= IMAGE_SIZE_MIN && size <= SIZE_LIMIT_MAX) {
            options->plan.size_limit = (size_t)size;
            return OTA_OK;
        }
    }
    return ota_fail(failure, OTA_E_USAGE,
                    "%s '%s' is not a number of bytes from %d to %dM (K and M are allowed)", name,
                    show_value(buffer, value), IMAGE_SIZE_MIN, SIZE_LIMIT_MAX / MIB);
}

/* Parses seconds with up to three decimals. */
static bool parse_seconds(const char *text, int64_t limit_s, int64_t *us)
{
    uint64_t seconds = 0, fraction = 0;
    const char *end = text;
    bool is_valid = *text == '.' || parse_decimal(text, (uint64_t)limit_s, &seconds, &end);
    int64_t unit_us = SECONDS(1);

    if (is_valid && *end == '.') {
        const char *digits = end + 1;
        is_valid = parse_decimal(digits, 999, &fraction, &end) && end - digits <= 3;
        for (; is_valid && digits < end; digits++)
            unit_us /= 10;
    }
    if (!is_valid || *end != '\0')
        return false;
    *us = SECONDS((int64_t)seconds) + (int64_t)fraction * unit_us;
    return *us <= SECONDS(limit_s);
}

/* "; write 120" for "2m", and so on; "" if the value is no such time, or more than limit_s. */
static const char *suggest_seconds(char buffer[SHOWN_MAX], const char *value, unsigned limit_s)
{
    static const struct {
        const char *name;
        uint64_t seconds;
    } units[] = {{"s", 1},        {"sec", 1},  {"seconds", 1},  {"m", 60},   {"min", 60},
                 {"minutes", 60}, {"h", 3600}, {"hours", 3600}, {"d", 86400}};
    uint64_t number;
    const char *unit;

    buffer[0] = '\0';
    if (!parse_decimal(value, WAIT_MAX_S, &number, &unit))
        return buffer;
    unit += strspn(unit, " ");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0 && number * units[i].seconds <= limit_s)
            snprintf(buffer, SHOWN_MAX, "; write %ju", (uintmax_t)(number * units[i].seconds));
    return buffer;
}

static enum ota_error set_seconds(int64_t *us, const struct setting *setting, const char *name,
                                  const char *value, struct ota_failure *failure)
{
    char shown[SHOWN_MAX], suggestion[SHOWN_MAX];

    if (parse_seconds(value, setting->limit, us) && *us >= MILLISECONDS(setting->least))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "%s '%s' is not a number of seconds from %g to %u%s",
                    name, show_value(shown, value), setting->least / 1e3, setting->limit,
                    suggest_seconds(suggestion, value, setting->limit));
}

static enum ota_error set_number(unsigned *number, const struct setting *setting, const char *name,
                                 const char *value, struct ota_failure *failure)
{
    char shown[SHOWN_MAX];
    uint64_t parsed;
    const char *end;

    if (!parse_decimal(value, setting->limit, &parsed, &end) || *end != '\0' ||
        parsed < setting->least)
        return ota_fail(failure, OTA_E_USAGE, "%s '%s' is not a number from %u to %u", name,
                        show_value(shown, value), setting->least, setting->limit);
    *number = (unsigned)parsed;
    return OTA_OK;
}

/* "": --monitor alone */
static enum ota_error set_monitor(struct options *options, const char *name, const char *value,
                                  struct ota_failure *failure)
{
    if (*value == '\0' || target_parse_port(&options->log.monitor_port, value, false))
        return OTA_OK;
    return reject_port(name, value, failure);
}

static enum ota_error set_online(struct options *options, const char *name, const char *value,
                                 struct ota_failure *failure)
{
    char shown[SHOWN_MAX], suggestion[SHOWN_MAX];

    options->log.online_us = SECONDS(ONLINE_DEFAULT_S);
    if (*value == '\0' || (parse_seconds(value, WAIT_MAX_S, &options->log.online_us) &&
                           options->log.online_us >= SECONDS(ONLINE_MIN_S)))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE,
                    "%s '%s' is not a number of seconds from %d to %d%s (no board restarts faster)",
                    name, show_value(shown, value), ONLINE_MIN_S, WAIT_MAX_S,
                    suggest_seconds(suggestion, value, WAIT_MAX_S));
}

static enum ota_error set_timestamps(struct options *options, const char *name, const char *value,
                                     struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    options->transcript.timestamps = *value ? TIMESTAMPS_WALL : TIMESTAMPS_SINCE_START;
    if (*value == '\0' || strcmp(value, "wall") == 0)
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE,
                    "%s '%s': leave the value out for the seconds since the start, or write "
                    "'wall' for the time of day",
                    name, show_value(buffer, value));
}

/* ADDRESS:PORT or [ADDRESS]:PORT, of which only the port is required. */
static bool parse_serve_address(struct address *address, const char *value)
{
    char host[ADDRESS_TEXT_MAX] = "::";
    const char *colon = strrchr(value, ':'), *begin = value, *end = colon;
    uint16_t port;

    if (colon && *begin == '[' && end > begin && end[-1] == ']') {
        begin++;
        end--;
    } else if (colon && memchr(begin, ':', (size_t)(end - begin))) {
        return false; /* an IPv6 address without brackets */
    }
    if (colon && (size_t)(end - begin) >= sizeof host)
        return false;
    if (colon) {
        memcpy(host, begin, (size_t)(end - begin));
        host[end - begin] = '\0';
    }
    if (!target_parse_port(&port, colon ? colon + 1 : value, true) || !address_parse(address, host))
        return false;
    address_set_port(address, port);
    return true;
}

/* "": --serve alone */
static enum ota_error set_serve(struct options *options, const char *name, const char *value,
                                struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    if (parse_serve_address(&options->serve.address, *value ? value : SERVE_PORT_DEFAULT))
        return check_scope(&options->serve.address, name, value, failure);
    if (strstr(value, "://") || (isalpha((unsigned char)*value) && !strchr(value, ':')))
        return ota_fail(
            failure, OTA_E_USAGE,
            "%s is followed by its port, but a board was written there; write -i before "
            "the board",
            name);
    return ota_fail(failure, OTA_E_USAGE,
                    "%s '%s' is neither a port number from 0 (any) to 65535 nor an address of this "
                    "computer with one, such as 192.168.1.10:8080",
                    name, show_value(buffer, value));
}

/* It travels in the headers of HTTP. */
static enum ota_error set_serve_version(struct options *options, const char *name,
                                        const char *value, struct ota_failure *failure)
{
    bool is_plain = *value && *value != ' ' && strlen(value) <= SERVE_VERSION_MAX &&
                    value[strlen(value) - 1] != ' ';

    for (const char *c = value; *c; c++)
        is_plain &= *c >= ' ' && *c <= '~';
    if (!is_plain) {
        char buffer[SHOWN_MAX];
        return ota_fail(failure, OTA_E_USAGE, "%s '%s' is not a text of 1 to %d ASCII characters",
                        name, show_value(buffer, value), SERVE_VERSION_MAX);
    }
    options->serve.version = strdup(value);
    return options->serve.version ? OTA_OK : ota_fail_no_memory(failure);
}

/* The fields of struct options that a value of this kind is stored in. */
#define INPUT(option, field)                                                                       \
    {                                                                                              \
        option, NULL, KIND_INPUT, offsetof(struct options, field), 0, 0                            \
    }
#define OUTPUT(option, field)                                                                      \
    {                                                                                              \
        option, NULL, KIND_OUTPUT, offsetof(struct options, field), 0, 0                           \
    }
#define PATTERN(option, field)                                                                     \
    {                                                                                              \
        option, NULL, KIND_PATTERN, offsetof(struct options, field), 0, 0                          \
    }
#define NUMBER(option, field, least, limit)                                                        \
    {                                                                                              \
        option, NULL, KIND_NUMBER, offsetof(struct options, field), least, limit                   \
    }
#define TIME(option, field, least_ms, limit_s)                                                     \
    {                                                                                              \
        option, NULL, KIND_SECONDS, offsetof(struct options, field), least_ms, limit_s             \
    }
#define OTHER(option, set)                                                                         \
    {                                                                                              \
        option, set, KIND_OTHER, 0, 0, 0                                                           \
    }

/* In the order in which they are applied. */
static const struct setting settings[] = {
    OTHER(OPTION_PORT, set_port),
    INPUT(OPTION_FILE, plan.file),
    OTHER(OPTION_MIN_AUTH, set_min_auth),
    INPUT(OPTION_SIGN, plan.sign),
    OTHER(OPTION_SIGN_HASH, set_sign_hash),
    INPUT(OPTION_VERIFY_KEY, plan.verify_key),
    OUTPUT(OPTION_OUTPUT, output),
    INPUT(OPTION_HOSTS, plan.hosts),
    INPUT(OPTION_RESUME, plan.resume),
    PATTERN(OPTION_MATCH, patterns.name),
    PATTERN(OPTION_BOARD, patterns.board),
    OTHER(OPTION_PROTOCOL, set_protocol),
    OTHER(OPTION_USER, set_user),
    OTHER(OPTION_PAGE, set_page),
    OTHER(OPTION_FIELD, set_field),
    INPUT(OPTION_CACERT, web.ca_file),
    OTHER(OPTION_EXPECT_VERSION, set_expect_version),
    OTHER(OPTION_MAX_SIZE, set_max_size),
    OTHER(OPTION_HOST_IP, set_host_ip),
    OTHER(OPTION_HOST_PORT, set_host_port),
    OTHER(OPTION_PEER, set_peer),
    TIME(OPTION_TIMEOUT, upload.timeout_us, 1, TIMEOUT_MAX_S),
    TIME(OPTION_WAIT, fleet.wait_us, 0, WAIT_MAX_S),
    NUMBER(OPTION_RETRIES, fleet.retries, 0, RETRIES_MAX),
    TIME(OPTION_DEADLINE, fleet.deadline_us, 1, WAIT_MAX_S),
    NUMBER(OPTION_BLOCK, espota.block, 1, BLOCK_MAX),
    NUMBER(OPTION_JOBS, fleet.jobs, 1, BOARDS_MAX),
    NUMBER(OPTION_CANARY, fleet.canaries, 1, BOARDS_MAX),
    NUMBER(OPTION_MAX_FAILURES, fleet.failures_max, 1, BOARDS_MAX),
    OTHER(OPTION_SERVE, set_serve),
    TIME(OPTION_SERVE_FOR, serve.for_us, 1, WAIT_MAX_S),
    NUMBER(OPTION_UNTIL_CONFIRMED, serve.until_confirmed, 1, BOARDS_MAX),
    OTHER(OPTION_SERVE_VERSION, set_serve_version),
    INPUT(OPTION_TLS_CERT, serve.certificate),
    INPUT(OPTION_TLS_KEY, serve.key),
    OTHER(OPTION_MONITOR, set_monitor),
    TIME(OPTION_MONITOR_FOR, log.monitor_for_us, 1, WAIT_MAX_S),
    OTHER(OPTION_TIMESTAMPS, set_timestamps),
    OUTPUT(OPTION_LOG, transcript.path),
    OUTPUT(OPTION_METRICS, metrics),
    TIME(OPTION_EXPECT_TIMEOUT, log.expect_timeout_us, 1, WAIT_MAX_S),
    OTHER(OPTION_ONLINE, set_online),
};

static enum ota_error set_value(struct options *options, const struct setting *setting,
                                const char *name, const char *value, struct ota_failure *failure)
{
    void *field = (char *)options + setting->offset;

    switch (setting->kind) {
    case KIND_INPUT:
        return set_input(field, name, value, failure);
    case KIND_OUTPUT:
        return set_output(field, name, value, failure);
    case KIND_PATTERN:
        return set_pattern(field, name, value, failure);
    case KIND_NUMBER:
        return set_number(field, setting, name, value, failure);
    case KIND_SECONDS:
        return set_seconds(field, setting, name, value, failure);
    case KIND_OTHER:
        break;
    }
    return setting->set(options, name, value, failure);
}

enum ota_error options_set_values(struct options *options, const struct command_line *line,
                                  const struct config *config, struct ota_failure *failure)
{
    enum ota_error error = config_boards_resolve(&options->plan.boards, line, config, failure);

    for (size_t i = 0; i < sizeof settings / sizeof *settings && error == OTA_OK; i++) {
        const char *value = line->value[settings[i].option];
        char name[COMMAND_LINE_NAME_MAX];

        command_line_name(name, line, settings[i].option);
        if (value)
            error = set_value(options, &settings[i], name, value, failure);
        if (error != OTA_OK && line->origin[settings[i].option])
            error = config_blame(line->origin[settings[i].option], failure);
        if (error == OTA_OK && settings[i].option == OPTION_PORT)
            error = spread_port(options, line, failure);
    }
    return error;
}
