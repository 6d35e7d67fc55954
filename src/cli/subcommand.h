/*
 * subcommand.h: the subcommands of other tools (esphome upload, arduino-cli monitor), which people
 * write here too. Pure.
 */
#ifndef ESP_OTA_CLI_SUBCOMMAND_H
#define ESP_OTA_CLI_SUBCOMMAND_H

#include "esp-ota/error.h"

#include <stdbool.h>

/* Whether word is such a subcommand. */
bool subcommand_is_one(const char *word);

/* Fails with OTA_E_USAGE and the command line to write instead. word must be such a subcommand. */
enum ota_error subcommand_reject(const char *word, struct ota_failure *failure);

#endif
