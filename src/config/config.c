/*
 * config.c: see config.h.
 */
#include "config/config.h"

#include "base/array.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "config/config_text.h"
#include "secrets/shown.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The file that is being read. */
struct filling {
    struct config *config;
    const struct config_file *file;
    bool has_section; /* the last section of config is the file's */
};

static enum ota_error fail_at(const struct filling *filling, const struct config_line *line,
                              const char *why, struct ota_failure *failure)
{
    return ota_fail(failure, OTA_E_USAGE, "%s, line %zu: %s", filling->file->shown, line->number,
                    why);
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || (unsigned char)c >= 0x80;
}

/* Such a name is no address, no host name with a dot and no URL, so that none of these can be made
 * another board. */
static bool is_name(const char *text)
{
    size_t length = 0;

    while (is_name_byte(text[length]))
        length++;
    return length > 0 && text[length] == '\0' && text[0] != '-' && escape_is_harmless(text);
}

/* Splits "board kitchen". NULL: it is neither a board nor a group. */
static const char *parse_section(const char *text, enum config_kind *kind)
{
    static const struct {
        const char *word;
        enum config_kind kind;
    } words[] = {{"board", CONFIG_BOARD}, {"group", CONFIG_GROUP}};

    text += strspn(text, " \t");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i].word);

        if (strncmp(text, words[i].word, length) == 0 && strcspn(text, " \t") == length) {
            *kind = words[i].kind;
            return text + length + strspn(text + length, " \t");
        }
    }
    return NULL;
}

static enum ota_error append_section(struct filling *filling, enum config_kind kind,
                                     const char *name, size_t number, struct ota_failure *failure)
{
    struct config *config = filling->config;
    struct config_section *sections = array_grow(config->sections, config->section_count,
                                                 &config->section_capacity, sizeof *sections);
    if (!sections)
        return ota_fail_no_memory(failure);

    config->sections = sections;
    struct config_section *section = &sections[config->section_count];
    *section = (struct config_section){
        .kind = kind, .name = strdup(name), .file = filling->file, .number = number};
    if (!section->name)
        return ota_fail_no_memory(failure);
    config->section_count++;
    filling->has_section = true;
    return OTA_OK;
}

static enum ota_error begin_section(struct filling *filling, const struct config_line *line,
                                    struct ota_failure *failure)
{
    enum config_kind kind;
    char name[CONFIG_SECTION_LENGTH + 1], shown[4 * CONFIG_SECTION_LENGTH];
    const char *found = parse_section(line->section, &kind);

    if (!found)
        return ota_fail(failure, OTA_E_USAGE,
                        "%s, line %zu: the section [%s] is not known; there is [board NAME] and "
                        "[group NAME]",
                        filling->file->shown, line->number,
                        escape_string(shown, sizeof shown, line->section));

    size_t length = strlen(found);
    while (length > 0 && (found[length - 1] == ' ' || found[length - 1] == '\t'))
        length--;
    memcpy(name, found, length);
    name[length] = '\0';
    if (!is_name(name))
        return fail_at(filling, line,
                       "the name of a board or group has letters, digits, - and _ only", failure);

    if (filling->config->section_count >= CONFIG_SECTIONS_MAX)
        return ota_fail(failure, OTA_E_USAGE, "%s, line %zu: there are more than %d sections",
                        filling->file->shown, line->number, CONFIG_SECTIONS_MAX);

    const struct config_section *former = NULL;
    while ((former = config_find_section(filling->config, kind, name, former)))
        if (former->file == filling->file)
            return ota_fail(failure, OTA_E_USAGE,
                            "%s, line %zu: the section is there already, in line %zu",
                            filling->file->shown, line->number, former->number);
    return append_section(filling, kind, name, line->number, failure);
}

static enum ota_error append_entry(struct filling *filling, const struct config_line *line,
                                   struct ota_failure *failure)
{
    struct config *config = filling->config;
    struct config_entry *entries =
        array_grow(config->entries, config->entry_count, &config->entry_capacity, sizeof *entries);
    if (!entries)
        return ota_fail_no_memory(failure);

    config->entries = entries;
    struct config_entry *entry = &entries[config->entry_count++];
    *entry = (struct config_entry){.section = config->section_count - 1,
                                   .file = filling->file,
                                   .number = line->number,
                                   .name = strdup(line->name),
                                   .value = strdup(line->value)};
    return entry->name && entry->value ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error on_config_line(const struct config_line *line, void *userdata,
                                     struct ota_failure *failure)
{
    struct filling *filling = userdata;

    if (!line->name)
        return begin_section(filling, line, failure);
    if (!filling->has_section &&
        append_section(filling, CONFIG_GENERAL, "", line->number, failure) != OTA_OK)
        return failure->error;
    return append_entry(filling, line, failure);
}

enum ota_error config_add(struct config *config, const struct config_file *file, const char *text,
                          size_t length, struct ota_failure *failure)
{
    struct filling filling = {.config = config, .file = file};

    return config_text_read(file->shown, text, length, on_config_line, &filling, failure);
}

static enum ota_error load_file(struct config *config, const struct config_file *file,
                                bool is_named, struct ota_failure *failure)
{
    char *text;
    size_t length = 0;

    if (config_file_read(file, is_named, &text, &length, failure) != OTA_OK)
        return failure->error;
    enum ota_error error = config_add(config, file, text, length, failure);
    free(text);
    return error;
}

enum ota_error config_load(struct config *config, const char *named, struct ota_failure *failure)
{
    enum ota_error error = OTA_OK;
    int count = 0;

    *config = (struct config){0};
    if (named && input_is_standard(named))
        return ota_fail(failure, OTA_E_USAGE, "--config takes a file, not standard input");
    if (!named)
        count = config_find(config->files, &config->notes);
    else if (*named)
        count = config_file_set(&config->files[0], named) < 0 ? -1 : 1;
    if (count < 0)
        return ota_fail_no_memory(failure);

    config->file_count = (size_t)count;
    for (size_t i = 0; i < config->file_count && error == OTA_OK; i++)
        error = load_file(config, &config->files[i], named, failure);
    return error;
}

const struct config_section *config_find_section(const struct config *config, enum config_kind kind,
                                                 const char *name,
                                                 const struct config_section *after)
{
    size_t i = after ? (size_t)(after - config->sections) + 1 : 0;

    for (; i < config->section_count; i++)
        if (config->sections[i].kind == kind && strcasecmp(config->sections[i].name, name) == 0)
            return &config->sections[i];
    return NULL;
}

const struct config_entry *config_find_entry(const struct config *config,
                                             const struct config_section *section, const char *name)
{
    size_t index = (size_t)(section - config->sections);

    for (size_t i = 0; i < config->entry_count; i++)
        if (config->entries[i].section == index && strcmp(config->entries[i].name, name) == 0)
            return &config->entries[i];
    return NULL;
}

enum ota_error config_blame(const struct config_entry *entry, struct ota_failure *failure)
{
    const struct ota_failure cause = *failure;

    if (cause.error != OTA_E_USAGE)
        return cause.error;
    return ota_fail(failure, cause.error, "%s, line %zu: %s", entry->file->shown, entry->number,
                    cause.message);
}

/* The value as it was written, but for what may be a secret. */
static const char *show_value(char shown[SHOWN_WORD_MAX], const struct config_entry *entry)
{
    if (strcmp(entry->name, "user") == 0)
        return shown_word(shown, entry->value, ":"); /* "USER:PASSWORD" */
    if (shown_names_secret_file(entry->name))
        return shown_path(shown, entry->value, entry->value);
    return escape_board(shown, SHOWN_WORD_MAX, entry->value);
}

enum ota_error config_blame_value(const struct config_entry *entry, struct ota_failure *failure)
{
    const struct ota_failure cause = *failure;
    char shown[SHOWN_WORD_MAX];

    if (cause.error != OTA_E_USAGE)
        return cause.error;
    return ota_fail(failure, cause.error, "%s, line %zu: \"%s = %s\" %s", entry->file->shown,
                    entry->number, entry->name, show_value(shown, entry), cause.message);
}

void config_free(struct config *config)
{
    for (size_t i = 0; i < config->entry_count; i++) {
        free(config->entries[i].name);
        free(config->entries[i].value);
    }
    free(config->entries);
    for (size_t i = 0; i < config->section_count; i++)
        free(config->sections[i].name);
    free(config->sections);
    for (size_t i = 0; i < CONFIG_FILES_MAX; i++)
        config_file_free(&config->files[i]);
    strings_free(&config->notes);
    *config = (struct config){0};
}
