/*
 * config_options.c: see config_options.h.
 */
#include "cli/config_options.h"

#include "base/error.h"
#include "base/escape.h"
#include "cli/config_boards.h"
#include "cli/options_use.h"
#include "cli/spelling.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whether a configuration can set an option: only the user's own, or also a project file. */
enum { OWN = 1 << 0, PROJECT = 1 << 1, PATH = 1 << 2 };

/* Only what cannot weaken the use of a password, lead it elsewhere, or name a file that it should
 * not, is free for a project file. */
static const unsigned settings[OPTION_COUNT] = {
    [OPTION_IP] = PROJECT,
    [OPTION_FILE] = PROJECT | PATH,
    [OPTION_PORT] = PROJECT,
    [OPTION_PROTOCOL] = OWN,
    [OPTION_AUTH_FILE] = PROJECT | PATH,
    [OPTION_ENCRYPTION_KEY_FILE] = PROJECT | PATH,
    [OPTION_MD5_TARGET] = OWN,
    [OPTION_MIN_AUTH] = OWN,
    [OPTION_USER] = OWN,
    [OPTION_COMPRESS] = PROJECT,
    [OPTION_SIGN] = PROJECT | PATH,
    [OPTION_SIGN_HASH] = PROJECT,
    [OPTION_VERIFY_KEY] = OWN | PATH,
    [OPTION_MAX_SIZE] = PROJECT,
    [OPTION_HOST_IP] = OWN,
    [OPTION_HOST_PORT] = OWN,
    [OPTION_PEER] = OWN,
    [OPTION_TIMEOUT] = PROJECT,
    [OPTION_WAIT] = PROJECT,
    [OPTION_RETRIES] = PROJECT,
    [OPTION_DEADLINE] = PROJECT,
    [OPTION_LOCKSTEP] = PROJECT,
    [OPTION_BLOCK] = PROJECT,
    [OPTION_PAGE] = PROJECT,
    [OPTION_FIELD] = PROJECT,
    [OPTION_CACERT] = OWN | PATH,
    [OPTION_INSECURE] = OWN,
    [OPTION_JOBS] = PROJECT,
    [OPTION_CANARY] = PROJECT,
    [OPTION_MAX_FAILURES] = PROJECT,
    [OPTION_TIMESTAMPS] = PROJECT,
    [OPTION_EXPECT] = PROJECT,
    [OPTION_REJECT] = PROJECT,
    [OPTION_EXPECT_TIMEOUT] = PROJECT,
    [OPTION_ONLINE] = PROJECT,
    [OPTION_PROGRESS] = PROJECT,
    [OPTION_VERBOSE] = PROJECT,
};

/* Words people write for a secret itself. */
static bool is_secret(const char *name)
{
    static const char *const names[] = {"auth", "password", "pass", "encryption-key", "key"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* -- what a file may say -- */

static enum ota_error reject_entry(const struct config_entry *entry, struct ota_failure *failure,
                                   const char *why)
{
    ota_fail(failure, OTA_E_USAGE, "%s %s", entry->name, why);
    return config_blame(entry, failure);
}

enum ota_error config_options_reject(const struct config_entry *entry, const char *likely,
                                     const char *advice, struct ota_failure *failure)
{
    const struct poptOption *row = options_find_name(entry->name, strlen(entry->name));
    char shown[SPELLING_MAX];

    if (is_secret(entry->name))
        ota_fail(failure, OTA_E_USAGE,
                 "passwords and keys are not kept in a configuration; write one into a file of its "
                 "own, and name that with auth-file or encryption-key-file");
    else if (!likely && row && settings[row->val])
        return reject_entry(entry, failure,
                            "is a general setting; move it above the first section");
    else
        ota_fail(failure, OTA_E_USAGE, "unknown setting '%s'%s%s%s",
                 escape_string(shown, sizeof shown, entry->name),
                 likely   ? "; did you mean '"
                 : advice ? "; "
                          : "",
                 likely   ? likely
                 : advice ? advice
                          : "",
                 likely ? "'?" : "");
    return config_blame(entry, failure);
}

bool config_options_is_flag(enum option option)
{
    const struct poptOption *row = options_find(option);

    return settings[option] && (!options_takes_value(row) || options_value_is_optional(row));
}

/* Flags are yes or no. */
static bool parse_flag(const char *value, bool *flag)
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (int meaning = 0; meaning < 2; meaning++)
            if (strcasecmp(value, words[i][meaning]) == 0) {
                *flag = meaning == 1;
                return true;
            }
    return false;
}

static bool is_list(enum option option)
{
    return option == OPTION_IP || option == OPTION_EXPECT || option == OPTION_REJECT;
}

static enum ota_error check_setting(const struct config *config, const struct config_entry *entry,
                                    struct ota_failure *failure)
{
    const struct poptOption *row = options_find_name(entry->name, strlen(entry->name));
    const enum option option = row ? (enum option)row->val : OPTION_COUNT;
    bool flag;

    if (!row || is_secret(entry->name))
        return config_options_reject(entry, options_suggest(entry->name, strlen(entry->name)), NULL,
                                     failure);
    if (!settings[option])
        return reject_entry(entry, failure,
                            "is for the command line only; esp-ota-config(5) lists what a "
                            "configuration can set");
    if (!(settings[option] & PROJECT) && entry->file->is_project)
        return reject_entry(entry, failure,
                            "is not for a project file, which may be somebody else's; write it "
                            "into your own configuration, or use this one with --config");
    if (!is_list(option) &&
        config_find_entry(config, &config->sections[entry->section], entry->name) != entry)
        return reject_entry(entry, failure, "is there twice; leave one of them out");
    if (options_takes_value(row) || parse_flag(entry->value, &flag))
        return OTA_OK;
    ota_fail(failure, OTA_E_USAGE, "is neither yes nor no");
    return config_blame_value(entry, failure);
}

enum ota_error config_options_check(const struct config *config, struct ota_failure *failure)
{
    for (size_t i = 0; i < config->entry_count; i++)
        if (config->sections[config->entries[i].section].kind == CONFIG_GENERAL &&
            check_setting(config, &config->entries[i], failure) != OTA_OK)
            return failure->error;
    return OTA_OK;
}

/* -- from a file to the line -- */

static bool has_typed_log(const struct command_line *line)
{
    return line->typed[OPTION_MONITOR] || line->typed[OPTION_EXPECT] || line->typed[OPTION_REJECT];
}

/* The image of a file is for an upload, which following a log is not. */
static bool may_adopt_image(const struct command_line *line)
{
    const unsigned commands = COMMAND_UPLOAD | COMMAND_CHECK | COMMAND_WRITE | COMMAND_SERVE;

    return (options_command(line) & commands) && !has_typed_log(line);
}

static bool may_adopt_board(const struct command_line *line)
{
    return options_command(line) == COMMAND_UPLOAD && !options_name_boards(line->typed);
}

/* Whether a setting is of use beside what was typed. */
static bool may_adopt(const struct command_line *line, enum option option,
                      const struct config_environment *environment)
{
    const bool *typed = line->typed;
    const bool has_image = line->given[OPTION_FILE] || line->given[OPTION_HOSTS];

    if (typed[option] || line->is_taken_back[option] ||
        !(options_uses(option) & options_command(line)))
        return false;
    if (typed[OPTION_SHOW_CONFIG])
        return true;

    switch (option) {
    case OPTION_IP:
        return may_adopt_board(line);
    case OPTION_FILE:
        return may_adopt_image(line);
    case OPTION_AUTH_FILE:
        return !typed[OPTION_AUTH] && !environment->has_password;
    case OPTION_ENCRYPTION_KEY_FILE:
        return !environment->has_key;
    case OPTION_SIGN:
    case OPTION_SIGN_HASH:
    case OPTION_VERIFY_KEY:
        return has_image && !typed[OPTION_LIST];
    case OPTION_EXPECT:
    case OPTION_REJECT:
        return has_image && !has_typed_log(line) && options_command(line) == COMMAND_UPLOAD;
    case OPTION_ONLINE:
        return has_image && !typed[OPTION_EXPECT_VERSION] &&
               options_command(line) == COMMAND_UPLOAD;
    case OPTION_PROGRESS:
    case OPTION_VERBOSE:
        return !typed[OPTION_QUIET];
    default:
        return true;
    }
}

/* Whether an entry is the setting of this option. */
static bool is_entry_of(const struct config *config, const struct config_entry *entry,
                        enum option option)
{
    const struct poptOption *row = options_find_name(entry->name, strlen(entry->name));

    return config->sections[entry->section].kind == CONFIG_GENERAL && row &&
           row->val == (int)option;
}

static enum ota_error adopt_list(struct strings *list, const char *value,
                                 struct ota_failure *failure)
{
    char *copy = strdup(value);

    if (copy && strings_add(list, copy) == 0)
        return OTA_OK;
    free(copy);
    return ota_fail_no_memory(failure);
}

static enum ota_error adopt_path(struct command_line *line, const struct config_entry *entry,
                                 enum option option, struct ota_failure *failure)
{
    if (*entry->value == '\0' || strcmp(entry->value, "-") == 0)
        ota_fail(failure, OTA_E_USAGE, "names no file");
    else
        line->value[option] = config_file_resolve(entry->file, entry->value, failure);
    return line->value[option] ? OTA_OK : config_blame_value(entry, failure);
}

static enum ota_error adopt_entry(struct command_line *line, const struct config_entry *entry,
                                  enum option option, struct ota_failure *failure)
{
    bool flag = true;

    line->origin[option] = entry;
    if (is_list(option))
        return adopt_list(command_line_list(line, option), entry->value, failure);
    if (settings[option] & PATH)
        return adopt_path(line, entry, option, failure);
    /* A number is a time in seconds for "online", not a flag. */
    bool is_word = !isdigit((unsigned char)*entry->value) && parse_flag(entry->value, &flag);
    if (!options_takes_value(options_find(option))) {
        parse_flag(entry->value, &flag);
        line->is_off[option] = !flag;
        return OTA_OK;
    }
    if (config_options_is_flag(option) && is_word && !flag) {
        line->is_off[option] = true;
        return OTA_OK;
    }
    line->value[option] = strdup(config_options_is_flag(option) && is_word ? "" : entry->value);
    return line->value[option] ? OTA_OK : ota_fail_no_memory(failure);
}

/* Of the file that takes precedence; of a list all entries there. */
static enum ota_error adopt_setting(struct command_line *line, const struct config *config,
                                    enum option option, struct ota_failure *failure)
{
    const struct config_entry *first = NULL;

    for (size_t i = 0; i < config->entry_count; i++) {
        const struct config_entry *entry = &config->entries[i];

        if (!is_entry_of(config, entry, option) || (first && entry->file != first->file))
            continue;
        if (adopt_entry(line, entry, option, failure) != OTA_OK)
            return failure->error;
        first = first ? first : entry;
        line->origin[option] = first;
    }
    return OTA_OK;
}

enum ota_error config_options_adopt(struct command_line *line, const struct config *config,
                                    const struct config_environment *environment,
                                    struct ota_failure *failure)
{
    for (int i = 1; i < OPTION_COUNT; i++) { /* boards before images, and these before the rest */
        const enum option option = (enum option)i;

        if (settings[option] && may_adopt(line, option, environment) &&
            adopt_setting(line, config, option, failure) != OTA_OK)
            return failure->error;
        if (line->origin[option] && (option == OPTION_IP || option == OPTION_FILE))
            line->given[option] = true;
        if (option == OPTION_FILE && !line->given[option] && may_adopt_image(line) &&
            options_command(line) == COMMAND_UPLOAD && config_boards_name_file(config, line))
            line->given[option] = true;
    }
    return OTA_OK;
}

void config_options_activate(struct command_line *line)
{
    for (int option = 1; option < OPTION_COUNT; option++)
        if (line->origin[option] && !line->is_off[option])
            line->given[option] = true;
}

/* -- what a project file does not choose -- */

/* Whether a setting is from a project file; if not, it is from one of the user's. */
static bool is_configured(const struct command_line *line, enum option option, bool is_project)
{
    const struct config_entry *origin = line->origin[option];

    return origin && origin->file->is_project == is_project;
}

static enum ota_error reject_board(const struct command_line *line, const struct host_line *board,
                                   struct ota_failure *failure)
{
    char shown[SPELLING_MAX];

    ota_fail(failure, OTA_E_USAGE,
             "is not for %s, which a project file, .esp-ota, names; to send it there nevertheless, "
             "add -f FILE",
             escape_board(shown, sizeof shown, board->label ? board->label : board->target.name));
    return config_blame_value(line->origin[OPTION_FILE], failure);
}

enum ota_error config_options_check_trust(const struct command_line *line,
                                          const struct hosts *boards, struct ota_failure *failure)
{
    bool has_project_image = is_configured(line, OPTION_FILE, true);

    for (size_t i = 0; i < boards->count; i++) {
        const struct host_line *board = &boards->lines[i];

        if (!board->is_from_project)
            continue;
        if (!board->file && is_configured(line, OPTION_FILE, false))
            return reject_board(line, board, failure);
        has_project_image |= board->file != NULL;
    }
    if (!has_project_image || !is_configured(line, OPTION_SIGN, false))
        return OTA_OK;

    ota_fail(failure, OTA_E_USAGE,
             "is not for an image that a project file, .esp-ota, names; to sign it nevertheless, "
             "add --sign FILE, or name the image with -f");
    return config_blame_value(line->origin[OPTION_SIGN], failure);
}
