/*
 * options_table.h: the options: command_line.c finds them, options_values.c checks their values,
 * options_help.c describes them.
 */
#ifndef ESP_OTA_CLI_OPTIONS_TABLE_H
#define ESP_OTA_CLI_OPTIONS_TABLE_H

#include "esp-ota/error.h"

#include <popt.h>

enum option {
    OPTION_IP = 1,
    OPTION_HOSTS,
    OPTION_ALL,
    OPTION_MATCH,
    OPTION_BOARD,
    OPTION_PORT,
    OPTION_PROTOCOL,
    OPTION_LIST,
    OPTION_AUTH,
    OPTION_AUTH_FILE,
    OPTION_MD5_TARGET,
    OPTION_MIN_AUTH,
    OPTION_USER,
    OPTION_ENCRYPTION_KEY_FILE,
    OPTION_FILE,
    OPTION_SPIFFS,
    OPTION_COMPRESS,
    OPTION_SIGN,
    OPTION_SIGN_HASH,
    OPTION_OUTPUT,
    OPTION_CHECK,
    OPTION_DRY_RUN,
    OPTION_VERIFY_KEY,
    OPTION_FORCE,
    OPTION_MAX_SIZE,
    OPTION_HOST_IP,
    OPTION_HOST_PORT,
    OPTION_PEER,
    OPTION_TIMEOUT,
    OPTION_WAIT,
    OPTION_RETRIES,
    OPTION_DEADLINE,
    OPTION_LOCKSTEP,
    OPTION_BLOCK,
    OPTION_PAGE,
    OPTION_FIELD,
    OPTION_CACERT,
    OPTION_INSECURE,
    OPTION_EXPECT_VERSION,
    OPTION_JOBS,
    OPTION_CANARY,
    OPTION_MAX_FAILURES,
    OPTION_RESUME,
    OPTION_SERVE,
    OPTION_SERVE_FOR,
    OPTION_UNTIL_CONFIRMED,
    OPTION_SERVE_VERSION,
    OPTION_TLS_CERT,
    OPTION_TLS_KEY,
    OPTION_MONITOR,
    OPTION_MONITOR_FOR,
    OPTION_TIMESTAMPS,
    OPTION_RAW,
    OPTION_LOG,
    OPTION_EXPECT,
    OPTION_REJECT,
    OPTION_EXPECT_TIMEOUT,
    OPTION_ONLINE,
    OPTION_PLUGGABLE_DISCOVERY,
    OPTION_PLUGGABLE_MONITOR,
    OPTION_PROGRESS,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_JSON,
    OPTION_METRICS,
    OPTION_DEBUG,
    OPTION_CONFIG,
    OPTION_SHOW_CONFIG,
    OPTION_HELP,
    OPTION_USAGE,
    OPTION_VERSION,
    OPTION_COUNT
};

/* popt's table of tables: each row is a titled group of options (POPT_ARG_INCLUDE_TABLE). */
extern const struct poptOption options_groups[];

/* The rows of one group, up to one without long name. Every option has a long name; a hidden row is
 * a further spelling of an option. */
const struct poptOption *options_rows(const struct poptOption *group);

/* The n-th row of all groups together, from 0; NULL behind the last. */
const struct poptOption *options_row(size_t n);

/* By long name (length bytes), by letter, or by number; NULL when there is none. */
const struct poptOption *options_find_name(const char *name, size_t length);
const struct poptOption *options_find_letter(char letter);
const struct poptOption *options_find(enum option option);

bool options_takes_value(const struct poptOption *row);
bool options_value_is_optional(const struct poptOption *row);
/* Whether the value is a name, a text or a file, so that it may have spaces in it. */
bool options_takes_text(const struct poptOption *row);
bool options_is_hidden(const struct poptOption *row);

/* Each prints to standard output and fails with OTA_E_OUTPUT when that cannot be written. */
enum ota_error options_print_help(struct ota_failure *failure);
enum ota_error options_print_usage(struct ota_failure *failure);
enum ota_error options_print_version(struct ota_failure *failure);

/* The long option that other programs call name (length bytes); NULL: there is none. */
const char *options_find_synonym(const char *name, size_t length);

/* The long option that name (length bytes) is probably meant to be; NULL when none is close. */
const char *options_suggest(const char *name, size_t length);

#endif
