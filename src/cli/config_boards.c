/*
 * config_boards.c: see config_boards.h. A section is taken whole, from the file that takes
 * precedence: so a project file cannot give a board of the user's another address and leave it its
 * password.
 */
#include "cli/config_boards.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/suggest.h"
#include "boardlog/expect.h"
#include "cli/config_options.h"
#include "discovery/target.h"
#include "upload/protocols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_SHOWN = 160 };

static const char SEPARATORS[] = ", \t";

/* -- one board -- */

static enum ota_error set_host(struct host_line *board, const struct config *config,
                               const struct config_section *section, struct ota_failure *failure)
{
    const struct config_entry *host = config_find_entry(config, section, "host");

    if (host && *host->value == '@') {
        ota_fail(failure, OTA_E_USAGE, "is a group, but a section is one board");
        return config_blame_value(host, failure);
    }
    if (target_parse(&board->target, host ? host->value : section->name, &protocol_schemes,
                     failure) == OTA_OK)
        return OTA_OK;
    if (host)
        return config_blame(host, failure);

    const struct config_entry beginning = {.file = section->file, .number = section->number};
    return config_blame(&beginning, failure);
}

/* What was probably meant by a name that a board's section does not have; NULL: unknown. */
static const char *suggest_board_key(const char *name)
{
    const char *likely = options_suggest(name, strlen(name));

    if (!likely)
        return NULL;
    if (strcmp(likely, "ip") == 0 || strcmp(likely, "hosts") == 0)
        return "host";
    return hosts_find_key(likely, strlen(likely)) ? likely : NULL;
}

/* Where the value of a setting begins in the path that it became; 0 if it does not end the path
 * ("~/pw"). */
static size_t written_at(const char *path, const char *value)
{
    const size_t length = strlen(path), size = strlen(value);

    return length >= size && strcmp(path + length - size, value) == 0 ? length - size : 0;
}

static void note_written(struct host_line *board, const struct config_entry *entry)
{
    if (strcmp(entry->name, "auth-file") == 0)
        board->auth_file_written_at = written_at(board->auth_file, entry->value);
    if (strcmp(entry->name, "encryption-key-file") == 0)
        board->key_file_written_at = written_at(board->key_file, entry->value);
}

static enum ota_error set_board_entry(struct host_line *board, const struct config *config,
                                      const struct config_entry *entry, struct ota_failure *failure)
{
    const struct host_key *key = hosts_find_key(entry->name, strlen(entry->name));
    bool is_host = strcmp(entry->name, "host") == 0;

    if (!key && !is_host)
        return config_options_reject(entry, suggest_board_key(entry->name), NULL, failure);
    if (is_host &&
        config_find_entry(config, &config->sections[entry->section], entry->name) != entry) {
        ota_fail(failure, OTA_E_USAGE, "is a second one for this board; leave one of them out");
        return config_blame_value(entry, failure);
    }
    if (is_host)
        return OTA_OK;

    char *path = NULL;
    bool is_file = key->is_path && *entry->value && strcmp(entry->value, "-") != 0;
    if (is_file && !(path = config_file_resolve(entry->file, entry->value, failure)))
        return config_blame_value(entry, failure);
    enum ota_error error = key->set(board, path ? path : entry->value, failure);
    free(path);
    if (error != OTA_OK)
        return config_blame_value(entry, failure);
    note_written(board, entry);
    return OTA_OK;
}

static enum ota_error fill_in_board(struct host_line *board, const struct config *config,
                                    const struct config_section *section,
                                    struct ota_failure *failure)
{
    if (set_host(board, config, section, failure) != OTA_OK)
        return failure->error;
    for (size_t i = 0; i < config->entry_count; i++)
        if (&config->sections[config->entries[i].section] == section &&
            set_board_entry(board, config, &config->entries[i], failure) != OTA_OK)
            return failure->error;
    return OTA_OK;
}

/* -- groups -- */

/* Stores the next member of a group's line, and moves *at behind it. False: there is none. */
static bool next_member(char member[TARGET_NAME_MAX], const char **at)
{
    *at += strspn(*at, SEPARATORS);

    size_t length = strcspn(*at, SEPARATORS);
    if (length == 0 || length >= TARGET_NAME_MAX)
        return false;
    memcpy(member, *at, length);
    member[length] = '\0';
    *at += length;
    return true;
}

static enum ota_error check_members(const struct config *config, const struct config_entry *entry,
                                    size_t *count, struct ota_failure *failure)
{
    char member[TARGET_NAME_MAX];
    struct target target;
    const char *at = entry->value;

    while (next_member(member, &at)) {
        if (++*count > CONFIG_MEMBERS_MAX)
            return ota_fail(failure, OTA_E_USAGE,
                            "%s, line %zu: all groups together have more than %d members",
                            entry->file->shown, entry->number, CONFIG_MEMBERS_MAX);
        if (*member == '@') {
            ota_fail(failure, OTA_E_USAGE, "has a group in it, but the members are boards");
            return config_blame_value(entry, failure);
        }
        if (!config_find_section(config, CONFIG_BOARD, member, NULL) &&
            target_parse(&target, member, &protocol_schemes, failure) != OTA_OK)
            return config_blame(entry, failure);
    }
    return OTA_OK;
}

/* *count: of the members of all groups before it, and then with its own. */
static enum ota_error check_group(const struct config *config, const struct config_section *section,
                                  size_t *count, struct ota_failure *failure)
{
    const size_t before = *count;

    for (size_t i = 0; i < config->entry_count; i++) {
        const struct config_entry *entry = &config->entries[i];

        if (&config->sections[entry->section] != section)
            continue;
        if (strcmp(entry->name, "members") != 0)
            return config_options_reject(
                entry, NULL,
                "a group has only members, and general settings stand above the first section",
                failure);
        if (check_members(config, entry, count, failure) != OTA_OK)
            return failure->error;
    }
    if (*count > before)
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE,
                    "%s, line %zu: the group has no boards; add members = NAME NAME...",
                    section->file->shown, section->number);
}

enum ota_error config_boards_check(const struct config *config, struct ota_failure *failure)
{
    enum ota_error error = OTA_OK;
    size_t members = 0;

    for (size_t i = 0; i < config->section_count && error == OTA_OK; i++) {
        const struct config_section *section = &config->sections[i];
        struct host_line board = {0};

        if (section->kind == CONFIG_BOARD)
            error = fill_in_board(&board, config, section, failure);
        else if (section->kind == CONFIG_GROUP)
            error = check_group(config, section, &members, failure);
        hosts_free_line(&board);
    }
    return error;
}

/* -- from names to boards -- */

typedef enum ota_error board_fn(const char *name, bool is_from_project, void *userdata,
                                struct ota_failure *failure);

static enum ota_error reject_group(const struct config *config, const char *name,
                                   struct ota_failure *failure)
{
    char shown[NAME_SHOWN], list[2 * NAME_SHOWN];
    struct suggestions suggestions = {0};

    for (size_t i = 0; i < config->section_count; i++)
        if (config->sections[i].kind == CONFIG_GROUP)
            suggest_offer(&suggestions, name, config->sections[i].name);
    suggest_list(list, sizeof list, &suggestions);
    if (config_find_section(config, CONFIG_BOARD, name, NULL))
        return ota_fail(failure, OTA_E_USAGE,
                        "\"%s\" is a board in the configuration, not a group; leave out the @",
                        escape_board(shown, sizeof shown, name));
    return ota_fail(failure, OTA_E_USAGE, "the configuration has no group \"%s\"%s%s",
                    escape_board(shown, sizeof shown, name),
                    suggestions.count ? "; it has " : " (--show-config shows what it has)", list);
}

static enum ota_error each_member(const struct config *config, const char *name, board_fn *visit,
                                  void *userdata, struct ota_failure *failure)
{
    char member[TARGET_NAME_MAX];
    const struct config_section *group = config_find_section(config, CONFIG_GROUP, name, NULL);

    if (!group)
        return reject_group(config, name, failure);
    for (size_t i = 0; i < config->entry_count; i++) {
        const struct config_entry *entry = &config->entries[i];
        const char *at = entry->value;

        if (&config->sections[entry->section] != group)
            continue;
        while (next_member(member, &at))
            if (visit(member, group->file->is_project, userdata, failure) != OTA_OK)
                return failure->error;
    }
    return OTA_OK;
}

void config_boards_suggest(char *list, size_t capacity, const struct config *config,
                           const char *name)
{
    static const char domain[] = ".local";
    char wanted[TARGET_NAME_MAX], group[sizeof wanted + 1], offered[sizeof group];
    size_t length = strnlen(name, sizeof wanted - 1), end = sizeof domain - 1;
    struct suggestions suggestions = {0};

    if (length > end && strcasecmp(name + length - end, domain) == 0)
        length -= end;
    snprintf(wanted, sizeof wanted, "%.*s", (int)length, name);
    snprintf(group, sizeof group, "@%s", wanted);

    for (size_t i = 0; i < config->section_count; i++) {
        const struct config_section *section = &config->sections[i];

        snprintf(offered, sizeof offered, "@%s", section->name);
        if (section->kind == CONFIG_GROUP)
            suggest_offer(&suggestions, group, offered);
        else if (section->kind == CONFIG_BOARD)
            suggest_offer(&suggestions, wanted, section->name);
    }
    suggest_keep_similar(&suggestions);
    suggest_list(list, capacity, &suggestions);
}

/* Visits each board that the line names: the members, in place of a group. */
static enum ota_error each_board(const struct config *config, const struct command_line *line,
                                 board_fn *visit, void *userdata, struct ota_failure *failure)
{
    const struct config_entry *origin = line->origin[OPTION_IP];
    const bool is_from_project = origin && origin->file->is_project;
    enum ota_error error = OTA_OK;

    for (size_t i = 0; i < line->boards.count && error == OTA_OK; i++) {
        const char *name = line->boards.items[i];

        error = *name == '@' ? each_member(config, name + 1, visit, userdata, failure)
                             : visit(name, is_from_project, userdata, failure);
    }
    return error;
}

struct file_search {
    const struct config *config;
    bool has_found;
};

static enum ota_error look_for_file(const char *name, bool is_from_project, void *userdata,
                                    struct ota_failure *failure)
{
    struct file_search *search = userdata;
    const struct config_section *section =
        config_find_section(search->config, CONFIG_BOARD, name, NULL);

    (void)is_from_project;
    (void)failure;
    search->has_found |= section && config_find_entry(search->config, section, "file");
    return OTA_OK;
}

bool config_boards_name_file(const struct config *config, const struct command_line *line)
{
    struct file_search search = {.config = config};
    struct ota_failure ignored;

    each_board(config, line, look_for_file, &search, &ignored);
    return search.has_found;
}

struct resolving {
    struct hosts *hosts;
    const struct command_line *line;
    const struct config *config;
};

static void drop(char **text)
{
    free(*text);
    *text = NULL;
}

/* What was typed comes before what the section says. */
static void yield_to_typed(struct host_line *board, const bool typed[OPTION_COUNT])
{
    const bool is_log_judged = typed[OPTION_EXPECT] || typed[OPTION_REJECT];
    const bool follows_log = typed[OPTION_MONITOR] || is_log_judged;

    if (typed[OPTION_PORT])
        board->target.port = 0;
    if (typed[OPTION_PROTOCOL])
        board->protocol = NULL;
    if (typed[OPTION_FILE] || follows_log)
        drop(&board->file);
    if (typed[OPTION_AUTH] || typed[OPTION_AUTH_FILE])
        drop(&board->auth_file);
    if (typed[OPTION_ENCRYPTION_KEY_FILE])
        drop(&board->key_file);
    if (typed[OPTION_MIN_AUTH])
        board->has_min_auth = false;
    if (typed[OPTION_PAGE])
        drop(&board->own.values[UPLOAD_OWN_PAGE]);
    if (typed[OPTION_FIELD])
        drop(&board->own.values[UPLOAD_OWN_FIELD]);
    if (typed[OPTION_USER])
        drop(&board->own.values[UPLOAD_OWN_USER]);
    if (is_log_judged || (typed[OPTION_MONITOR] && !typed[OPTION_FILE])) {
        expect_free(board->expect);
        board->expect = NULL;
    }
}

/* Whether a board that a project file names gets the common secret: one that was typed beside the
 * board, or that the same file names, but none that lies around for other boards. */
static bool may_have_secret(const struct command_line *line, bool is_secret_typed,
                            enum option file_option)
{
    const struct config_entry *origin = line->origin[file_option];

    return (is_secret_typed && line->typed[OPTION_IP]) || (origin && origin->file->is_project);
}

/* For the message about a board that is not found. */
static enum ota_error note_similar(struct host_line *board, const struct config *config,
                                   struct ota_failure *failure)
{
    char list[4 * NAME_SHOWN];

    if (board->target.kind == TARGET_ADDRESS)
        return OTA_OK;
    config_boards_suggest(list, sizeof list, config, board->target.name);
    if (*list && !(board->similar = strdup(list)))
        return ota_fail_no_memory(failure);
    return OTA_OK;
}

static enum ota_error add_board(const char *name, bool is_from_project, void *userdata,
                                struct ota_failure *failure)
{
    const struct resolving *resolving = userdata;
    const struct command_line *line = resolving->line;
    const bool *typed = line->typed;
    const struct config_section *section =
        config_find_section(resolving->config, CONFIG_BOARD, name, NULL);
    struct host_line *board = hosts_add(resolving->hosts);
    if (!board)
        return ota_fail_no_memory(failure);

    enum ota_error error = section ? fill_in_board(board, resolving->config, section, failure)
                                   : target_parse(&board->target, name, &protocol_schemes, failure);
    if (error == OTA_OK && section && !(board->label = strdup(section->name)))
        error = ota_fail_no_memory(failure);
    if (error == OTA_OK && section)
        yield_to_typed(board, typed);
    if (error == OTA_OK && !section)
        error = note_similar(board, resolving->config, failure);
    board->is_from_project = section ? section->file->is_project : is_from_project;
    if (board->is_from_project) {
        board->lacks_password =
            !may_have_secret(line, typed[OPTION_AUTH] || typed[OPTION_AUTH_FILE], OPTION_AUTH_FILE);
        board->lacks_key =
            !may_have_secret(line, typed[OPTION_ENCRYPTION_KEY_FILE], OPTION_ENCRYPTION_KEY_FILE);
    }
    return error;
}

enum ota_error config_boards_resolve(struct hosts *hosts, const struct command_line *line,
                                     const struct config *config, struct ota_failure *failure)
{
    struct resolving resolving = {.hosts = hosts, .line = line, .config = config};

    return each_board(config, line, add_board, &resolving, failure);
}

enum ota_error config_boards_add_all(struct hosts *hosts, const struct command_line *line,
                                     const struct config *config, struct ota_failure *failure)
{
    struct resolving resolving = {.hosts = hosts, .line = line, .config = config};
    enum ota_error error = OTA_OK;

    for (size_t i = 0; i < config->section_count && error == OTA_OK; i++) {
        const struct config_section *section = &config->sections[i];

        if (section->kind == CONFIG_BOARD &&
            config_find_section(config, CONFIG_BOARD, section->name, NULL) == section)
            error = add_board(section->name, false, &resolving, failure);
    }
    return error;
}

/* -- warnings -- */

static void warn_if_replaced(const struct config *config, enum config_kind kind, const char *name)
{
    const struct config_section *used = config_find_section(config, kind, name, NULL);
    const struct config_section *other =
        used ? config_find_section(config, kind, name, used) : NULL;
    char shown[NAME_SHOWN];

    if (other && used->file->is_project)
        diag_warning(
            "%s %s is that of %s, not that of %s", kind == CONFIG_BOARD ? "board" : "group",
            escape_string(shown, sizeof shown, used->name), used->file->shown, other->file->shown);
}

/* The user typed a name and a secret, but a project file may choose the address that gets it. */
static void warn_if_led_elsewhere(const struct resolving *resolving, const char *name,
                                  bool is_from_project)
{
    const bool *typed = resolving->line->typed;
    const bool has_password = typed[OPTION_AUTH] || typed[OPTION_AUTH_FILE];
    const struct config_section *section =
        config_find_section(resolving->config, CONFIG_BOARD, name, NULL);
    const struct config_entry *host = NULL;
    char shown[NAME_SHOWN];

    if (section && section->file->is_project)
        host = config_find_entry(resolving->config, section, "host");
    if ((host || (is_from_project && !section)) && typed[OPTION_IP] &&
        (has_password || typed[OPTION_ENCRYPTION_KEY_FILE]))
        diag_warning("a project file, .esp-ota, leads to %s, and that gets your %s",
                     escape_board(shown, sizeof shown, host ? host->value : name),
                     has_password ? "password" : "encryption key");
}

static enum ota_error warn_of_board(const char *name, bool is_from_project, void *userdata,
                                    struct ota_failure *failure)
{
    const struct resolving *resolving = userdata;

    (void)failure;
    warn_if_replaced(resolving->config, CONFIG_BOARD, name);
    warn_if_led_elsewhere(resolving, name, is_from_project);
    return OTA_OK;
}

/* The settings are there for uploads, so they are no error, as they would be in a list. */
static void warn_of_page(const struct hosts *hosts)
{
    const struct host_line *first = NULL;
    char shown[NAME_SHOWN];
    size_t others = 0;

    for (size_t i = 0; i < hosts->count; i++) {
        const struct host_line *board = &hosts->lines[i];
        const char *const *own = (const char *const *)board->own.values;

        if (!board->label || (!own[UPLOAD_OWN_PAGE] && !own[UPLOAD_OWN_FIELD]))
            continue;
        others += first != NULL;
        first = first ? first : board;
    }
    if (first)
        diag_warning("--serve ignores page and field of %s%s in the configuration: of all pages, "
                     "only Tasmota's can tell its board to fetch",
                     escape_string(shown, sizeof shown, first->label),
                     others ? " and other boards" : "");
}

void config_boards_warn(const struct hosts *hosts, const struct command_line *line,
                        const struct config *config, bool has_password, bool has_key)
{
    char shown[NAME_SHOWN];
    struct ota_failure ignored;

    if (line->given[OPTION_SERVE])
        warn_of_page(hosts);
    for (size_t i = 0; i < line->boards.count; i++)
        if (line->boards.items[i][0] == '@')
            warn_if_replaced(config, CONFIG_GROUP, line->boards.items[i] + 1);
    each_board(config, line, warn_of_board, &(struct resolving){.config = config, .line = line},
               &ignored);

    for (size_t i = 0; i < hosts->count; i++) {
        const struct host_line *board = &hosts->lines[i];
        const bool lacks_password = board->lacks_password && !board->auth_file && has_password;

        if (!lacks_password && !(board->lacks_key && !board->key_file && has_key))
            continue;
        diag_warning(
            "%s is named by a project file, .esp-ota, so your %s is not for it; %s",
            escape_string(shown, sizeof shown, board->label ? board->label : board->target.name),
            lacks_password ? "password" : "encryption key",
            line->typed[OPTION_IP]
                ? (lacks_password ? "to give it that, add --auth-file FILE"
                                  : "to give it that, add --encryption-key-file FILE")
                : "to give it that, name the board on the command line, too");
        return;
    }
}
