/*
 * show_config.c: see show_config.h.
 */
#include "cli/show_config.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/stdio_guard.h"
#include "base/stdout_text.h"
#include "base/user_info.h"
#include "config/config_text.h"
#include "fleet/hosts.h"
#include "output/report_json.h"
#include "secrets/shown.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VALUE_SHOWN = 4096 };

struct output {
    FILE *stream;
    bool is_json;
    bool is_written; /* false: memory ran out, so a line is missing */
};

/* names ends with NULL. */
static bool is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names;
}

/* What a setting has is shown as it is, but for a password in the wrong place. The name of a file
 * that does not exist may be one. A pattern may have a colon and an @ for lines of logs. written:
 * value without the folder that a configuration adds. */
static const char *show_text(char shown[VALUE_SHOWN], const char *name, const char *value,
                             const char *written)
{
    static const char *const boards[] = {"ip", "host", "members", NULL};
    static const char *const patterns[] = {"expect", "reject", "match", "board", NULL};

    if (strcmp(name, "user") == 0)
        return shown_word(shown, value, ":");
    if (shown_names_secret_file(name) && !input_is_standard(value) && access(value, F_OK) < 0)
        return shown_path(shown, value, written);
    if (is_among(boards, name) ||
        (!is_among(patterns, name) && user_info_in_board(value).length > 0))
        return escape_board(shown, VALUE_SHOWN, value);
    return escape_pattern(shown, VALUE_SHOWN, value, strlen(value));
}

/* Shows one setting; source is for those of no file. */
static void show_setting(struct output *output, const char *section, const char *name,
                         const char *value, const struct config_entry *origin, const char *source)
{
    char shown[VALUE_SHOWN];
    const char *written = origin ? origin->value : value;
    const struct report_setting setting = {.section = section,
                                           .name = name,
                                           .value = show_text(shown, name, value, written),
                                           .file = origin ? origin->file->shown : NULL,
                                           .line = origin ? origin->number : 0};

    if (output->is_json)
        output->is_written &= report_json_setting(output->stream, &setting, 0);
    else if (origin)
        fprintf(output->stream, "%s = %s  # %s, line %zu\n", name, shown, setting.file,
                setting.line);
    else
        fprintf(output->stream, "%s = %s  # %s\n", name, shown, source);
}

static void show_value(struct output *output, const struct config_entry *origin, const char *name,
                       const char *value)
{
    show_setting(output, NULL, name, value, origin, "command line");
}

/* Whether the option is no setting, but what asks for this output. */
static bool is_question(enum option option)
{
    return option == OPTION_SHOW_CONFIG || option == OPTION_CONFIG || option == OPTION_JSON;
}

static void show_option(struct output *output, const struct command_line *line,
                        const struct poptOption *row)
{
    const enum option option = (enum option)row->val;
    const struct config_entry *origin = line->origin[option];
    const struct strings *list = command_line_list(line, option);

    if (line->is_taken_back[option]) {
        show_value(output, NULL, row->longName, "no");
        return;
    }
    if ((!line->typed[option] && !origin) || is_question(option))
        return;
    if (option == OPTION_AUTH)
        show_value(output, origin, row->longName, "(not shown)");
    else if (list)
        for (size_t i = 0; i < list->count; i++)
            show_value(output, origin, row->longName, list->items[i]);
    else if (options_takes_value(row) && !line->is_off[option])
        show_value(output, origin, row->longName, line->value[option] ? line->value[option] : "");
    else
        show_value(output, origin, row->longName, line->is_off[option] ? "no" : "yes");
}

static void show_options(struct output *output, const struct command_line *line)
{
    const struct poptOption *row;

    for (size_t n = 0; (row = options_row(n)); n++)
        if (!options_is_hidden(row))
            show_option(output, line, row);
}

/* Shows a file with its full path: relative ones begin at the folder of the configuration. */
static void show_entry(struct output *output, const char *section, const struct config_entry *entry)
{
    const struct host_key *key = hosts_find_key(entry->name, strlen(entry->name));
    struct ota_failure ignored; /* config_boards_check() has passed */
    char *path = NULL;

    if (key && key->is_path)
        path = config_file_resolve(entry->file, entry->value, &ignored);
    show_setting(output, section, entry->name, path ? path : entry->value, entry, NULL);
    free(path);
}

static void show_section(struct output *output, const struct config *config,
                         const struct config_section *section)
{
    char name[CONFIG_SECTION_LENGTH + sizeof "board "];
    const struct config_entry beginning = {.file = section->file, .number = section->number};

    snprintf(name, sizeof name, "%s %s", section->kind == CONFIG_BOARD ? "board" : "group",
             section->name);
    if (!output->is_json)
        fprintf(output->stream, "\n[%s]\n", name);
    if (section->kind == CONFIG_BOARD && !config_find_entry(config, section, "host"))
        show_setting(output, name, "host", section->name, &beginning, NULL);
    for (size_t i = 0; i < config->entry_count; i++) {
        const struct config_entry *entry = &config->entries[i];

        if (&config->sections[entry->section] == section)
            show_entry(output, name, entry);
    }
}

static void show_files(struct output *output, const struct config *config)
{
    if (output->is_json)
        return;
    for (size_t i = 0; i < config->file_count; i++)
        fprintf(output->stream, "# %s\n", config->files[i].shown);
    if (config->file_count == 0)
        fputs("# no configuration file\n", output->stream);
}

static void show_all(struct output *output, const struct command_line *line,
                     const struct config *config, const struct options *options)
{
    show_files(output, config);
    show_options(output, line);
    if (options->plan.password && !line->typed[OPTION_AUTH] && !line->typed[OPTION_AUTH_FILE])
        show_setting(output, NULL, "auth", "(not shown)", NULL, "ESP_OTA_AUTH");
    for (size_t i = 0; i < config->section_count; i++) {
        const struct config_section *section = &config->sections[i];

        if (section->kind != CONFIG_GENERAL &&
            config_find_section(config, section->kind, section->name, NULL) == section)
            show_section(output, config, section);
    }
}

enum ota_error show_config(const struct command_line *line, const struct config *config,
                           const struct options *options, struct ota_failure *failure)
{
    struct stdout_text text;
    struct output output = {.is_json = options->report.json, .is_written = true};

    if (stdout_text_open(&text)) {
        output.stream = text.stream;
        show_all(&output, line, config, options);
    }
    int error = stdout_text_write(&text, STDIO_GUARD_NO_LIMIT);
    if (!output.is_written)
        error = ENOMEM;
    return error == 0 ? OTA_OK : ota_fail_stdout(failure, error);
}
