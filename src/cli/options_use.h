/*
 * options_use.h: which options each command uses, ignores or refuses.
 */
#ifndef ESP_OTA_CLI_OPTIONS_USE_H
#define ESP_OTA_CLI_OPTIONS_USE_H

#include "cli/command_line.h"

#include <stddef.h>

struct upload_protocol;

/* The commands, as bits. */
enum command_use {
    COMMAND_UPLOAD = 1 << 0,      /* also following logs */
    COMMAND_LIST = 1 << 1,        /* --list */
    COMMAND_CHECK = 1 << 2,       /* --check */
    COMMAND_WRITE = 1 << 3,       /* --output */
    COMMAND_SERVE = 1 << 4,       /* --serve */
    COMMAND_DISCOVERY = 1 << 5,   /* --pluggable-discovery */
    COMMAND_IDE_MONITOR = 1 << 6, /* --pluggable-monitor */
};

enum { OPTIONS_IGNORED_MAX = 1024 };

/* The commands that use or refuse the option, as a set. */
unsigned options_uses(enum option option);

/* Whether one of these options (line->given, line->typed) says which boards are meant. */
bool options_name_boards(const bool options[OPTION_COUNT]);

/* The command that the line asks for. */
enum command_use options_command(const struct command_line *line);

/* The first option on the line that the command refuses; OPTION_COUNT: none. */
int options_find_refused(const struct command_line *line, enum command_use command);

/* Writes "--list ignores --port and --retries"; "" if the command uses all options on the line. */
void options_describe_ignored(char text[OPTIONS_IGNORED_MAX], const struct command_line *line,
                              enum command_use command);

/* The same for an upload by other protocols than this one, with the options on the command line
 * itself: "an upload ignores --page, as no board is updated by web". */
void options_describe_foreign(char text[OPTIONS_IGNORED_MAX], const bool typed[OPTION_COUNT],
                              const struct upload_protocol *protocol);

/* The same where logs are followed, and nothing is uploaded. */
void options_describe_idle(char text[OPTIONS_IGNORED_MAX], const bool typed[OPTION_COUNT]);

#endif
