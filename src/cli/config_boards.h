/*
 * config_boards.h: the boards and groups of the configuration, by the names that -i takes.
 */
#ifndef ESP_OTA_CLI_CONFIG_BOARDS_H
#define ESP_OTA_CLI_CONFIG_BOARDS_H

#include "cli/command_line.h"
#include "config/config.h"
#include "esp-ota/error.h"
#include "fleet/hosts.h"

/* Refuses what is wrong in any section, used or not. Fails with OTA_E_USAGE. */
enum ota_error config_boards_check(const struct config *config, struct ota_failure *failure);

/* Whether a board that the line names, also by a group, has an image of its own. */
bool config_boards_name_file(const struct config *config, const struct command_line *line);

/* Writes the names of the configuration that resemble name, which is none of them, as
 * `"kitchen", "@home"`; "" if none is similar. */
void config_boards_suggest(char *list, size_t capacity, const struct config *config,
                           const char *name);

/* Adds the boards that the line names to hosts: each name of the configuration with its settings,
 * but for those that were typed; every other one as it is. Fails with OTA_E_USAGE. */
enum ota_error config_boards_resolve(struct hosts *hosts, const struct command_line *line,
                                     const struct config *config, struct ota_failure *failure);

/* Adds each board of the configuration to hosts. Fails with OTA_E_USAGE or OTA_E_INTERNAL. */
enum ota_error config_boards_add_all(struct hosts *hosts, const struct command_line *line,
                                     const struct config *config, struct ota_failure *failure);

/* Warns of boards of a project file that replace boards of the user's, and of one that gets no
 * password, or key, though there is one; and of what --serve ignores of a board. */
void config_boards_warn(const struct hosts *hosts, const struct command_line *line,
                        const struct config *config, bool has_password, bool has_key);

#endif
