/*
 * options_rules.h: which options go together, and which command needs which.
 */
#ifndef ESP_OTA_CLI_OPTIONS_RULES_H
#define ESP_OTA_CLI_OPTIONS_RULES_H

#include "cli/command_line.h"
#include "esp-ota/error.h"

#include <stdbool.h>

/* Looks only at which options are given, not at their values. can_choose: somebody at a terminal
 * can be asked which boards are meant. Errors: OTA_E_USAGE. */
enum ota_error options_check_rules(const struct command_line *line, bool can_choose,
                                   struct ota_failure *failure);

#endif
