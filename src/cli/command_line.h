/*
 * command_line.h: the command line as it was given: the last value of each option, and every one
 * of those that may be repeated, unchecked.
 */
#ifndef ESP_OTA_CLI_COMMAND_LINE_H
#define ESP_OTA_CLI_COMMAND_LINE_H

#include "base/string_list.h"
#include "cli/options_table.h"

struct command_line {
    bool given[OPTION_COUNT];
    char *value[OPTION_COUNT]; /* NULL for flags, for what was not given, for lists and for -a */
    char *password;            /* the value of -a, to be freed with secret_free(), or NULL */
    struct strings boards;     /* the values of -i, in their order */
    struct strings expected;   /* of --expect */
    struct strings rejected;   /* of --reject */
    bool is_config_broken;     /* /etc/popt or ~/.popt could not be read completely */
};

/* Reads all of argv, with popt's aliases, also behind a mistake, so that the password is wiped from
 * argv wherever it stands; the first mistake is reported (OTA_E_USAGE, or OTA_E_INTERNAL). What
 * was read is in *line in any case, and the caller frees it with command_line_free(). */
enum ota_error command_line_read(struct command_line *line, int argc, char **argv,
                                 struct ota_failure *failure);
void command_line_free(struct command_line *line); /* cleanses the values */

#endif
