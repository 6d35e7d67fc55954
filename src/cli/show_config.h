/*
 * show_config.h: --show-config: which settings, boards and groups are in force, and where each was
 * found. Passwords are not shown.
 */
#ifndef ESP_OTA_CLI_SHOW_CONFIG_H
#define ESP_OTA_CLI_SHOW_CONFIG_H

#include "cli/command_line.h"
#include "cli/options.h"
#include "config/config.h"
#include "esp-ota/error.h"

/* Prints to standard output: as lines that a configuration may have, with the place as a comment,
 * or as JSON. The line has adopted the configuration. Fails with OTA_E_OUTPUT. */
enum ota_error show_config(const struct command_line *line, const struct config *config,
                           const struct options *options, struct ota_failure *failure);

#endif
