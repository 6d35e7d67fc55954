/*
 * config_options.h: the general settings of the configuration, as options of a command line. Which
 * options a file may set, and which of them one that came with a project may set, is decided here.
 */
#ifndef ESP_OTA_CLI_CONFIG_OPTIONS_H
#define ESP_OTA_CLI_CONFIG_OPTIONS_H

#include "cli/command_line.h"
#include "config/config.h"
#include "esp-ota/error.h"
#include "fleet/hosts.h"

/* Secrets in the environment, which come before those that a file names. */
struct config_environment {
    bool has_password;
    bool has_key;
};

/* Whether a configuration sets the option by "yes" and "no", so that --no-NAME overrides it. */
bool config_options_is_flag(enum option option);

/* Refuses names that are no settings, settings that the file may not have, and passwords. Fails
 * with OTA_E_USAGE. */
enum ota_error config_options_check(const struct config *config, struct ota_failure *failure);

/* Fails with OTA_E_USAGE, as the entry's section has no such setting; its value is not shown.
 * likely is what was probably meant; NULL: nothing, or a general setting in the wrong place. advice
 * follows an unknown name instead; NULL: none. */
enum ota_error config_options_reject(const struct config_entry *entry, const char *likely,
                                     const char *advice, struct ota_failure *failure);

/* Gives the line the values that nobody has typed, as far as its command uses them. It counts as
 * given only that a board, or an image, is named: so no rule about options that were typed fails
 * for one that was not. The entries must outlive the line. */
enum ota_error config_options_adopt(struct command_line *line, const struct config *config,
                                    const struct config_environment *environment,
                                    struct ota_failure *failure);

/* Lets all that was adopted count as given. */
void config_options_activate(struct command_line *line);

/* A project file does not choose the board for an image, nor the image for a key, that the user has
 * configured. Fails with OTA_E_USAGE if it would. boards are those that the line names. */
enum ota_error config_options_check_trust(const struct command_line *line,
                                          const struct hosts *boards, struct ota_failure *failure);

#endif
