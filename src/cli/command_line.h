/*
 * command_line.h: the options of a command line and their values, not yet validated. Of a repeated
 * option the last value counts, unless it collects a list. config_options.h adds what a
 * configuration says of the others.
 */
#ifndef ESP_OTA_CLI_COMMAND_LINE_H
#define ESP_OTA_CLI_COMMAND_LINE_H

#include "base/string_list.h"
#include "cli/options_table.h"
#include "esp-ota/error.h"

struct config_entry; /* config/config.h */

struct command_line {
    bool given[OPTION_COUNT];                        /* what counts as given */
    bool typed[OPTION_COUNT];                        /* what stands on the command line itself */
    const struct config_entry *origin[OPTION_COUNT]; /* of a configured option; NULL: of others */
    bool is_off[OPTION_COUNT];                       /* a configured flag that is "no" */
    bool is_taken_back[OPTION_COUNT]; /* by --no-NAME: a configuration cannot set it */
    bool is_letter[OPTION_COUNT];     /* the last one was given as a letter ("-f") */
    char *value[OPTION_COUNT];        /* NULL for flags, options not given, lists and -a */
    char *password;                   /* the value of -a, to be freed with secret_free(), or NULL */
    struct strings boards;            /* the values of -i, in their order */
    const char *word;        /* the last of boards that is a word without -i, no address; or NULL */
    const char *subcommand;  /* of other tools, the first word without an option; NULL: none */
    char similar[160];       /* names of the configuration like word, printable; "": none */
    struct strings expected; /* the values of --expect */
    struct strings rejected; /* the values of --reject */
    struct strings unfilled; /* a note for each value that is a placeholder, and was ignored */
    struct strings unread;   /* a note for each file of aliases that was not read */
};

/* Reads all of argv, with popt's aliases; removes POSIXLY_CORRECT, which popt obeys, from the
 * environment. It continues after a mistake, so that the password is wiped from argv wherever it
 * stands, and reports the first mistake (OTA_E_USAGE or OTA_E_INTERNAL). *line holds the options in
 * any case; free it with command_line_free(). */
enum ota_error command_line_read(struct command_line *line, int argc, char **argv,
                                 struct ota_failure *failure);

/* The list that collects the values of the option; NULL: only the last value counts. */
struct strings *command_line_list(const struct command_line *line, enum option option);

enum { COMMAND_LINE_NAME_MAX = 32 };

/* Writes the option as it was given, "-f" or "--file", for a message. Returns name. */
const char *command_line_name(char name[COMMAND_LINE_NAME_MAX], const struct command_line *line,
                              enum option option);

/* If value is a placeholder that the caller of this program left unfilled, notes so and returns
 * true: it counts as not given. name is the option, NULL for a word without one. */
bool command_line_skips(struct command_line *line, const char *name, const char *value);

/* Overwrites the values and frees them. */
void command_line_free(struct command_line *line);

#endif
