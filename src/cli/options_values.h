/*
 * options_values.h: the values of the options. options.c is its only user.
 */
#ifndef ESP_OTA_CLI_OPTIONS_VALUES_H
#define ESP_OTA_CLI_OPTIONS_VALUES_H

#include "cli/command_line.h"
#include "cli/options.h"
#include "config/config.h"
#include "esp-ota/error.h"

/* Fails for a -p that is no port, before something that it has taken away seems to be missing. */
enum ota_error options_check_port(const struct command_line *line, struct ota_failure *failure);

/* Sets what line gives values for, the password aside; boards by the names of config. Fails with
 * OTA_E_USAGE for the first value that is not understood, OTA_E_INTERNAL when memory ran out. */
enum ota_error options_set_values(struct options *options, const struct command_line *line,
                                  const struct config *config, struct ota_failure *failure);

#endif
