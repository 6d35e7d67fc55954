/*
 * config.h: what the configuration files say: general settings, boards and groups, each with the
 * file and the line. What the settings mean is not known here.
 */
#ifndef ESP_OTA_CONFIG_CONFIG_H
#define ESP_OTA_CONFIG_CONFIG_H

#include "base/string_list.h"
#include "config/config_find.h"
#include "esp-ota/error.h"

#include <stdbool.h>
#include <stddef.h>

/* As many as --hosts takes. The lookups below go through all of them, for each of them. */
enum { CONFIG_SECTIONS_MAX = 10000, CONFIG_MEMBERS_MAX = 10000 };

enum config_kind { CONFIG_GENERAL, CONFIG_BOARD, CONFIG_GROUP };

struct config_section {
    enum config_kind kind;
    char *name; /* "" for the general settings of a file */
    const struct config_file *file;
    size_t number; /* of its first line */
};

struct config_entry {
    size_t section; /* index */
    const struct config_file *file;
    size_t number; /* of the line */
    char *name, *value;
};

/* Both arrays have the file that takes precedence first, and each file in its order. */
struct config {
    struct config_file files[CONFIG_FILES_MAX];
    size_t file_count;
    struct config_section *sections;
    size_t section_count, section_capacity;
    struct config_entry *entries;
    size_t entry_count, entry_capacity;
    struct strings notes; /* on files that are not read */
};

/* Reads the files in their places, or the one that the user has named ("": none). Fails with
 * OTA_E_USAGE or OTA_E_INTERNAL. Free *config with config_free() in any case. */
enum ota_error config_load(struct config *config, const char *named, struct ota_failure *failure);

/* Adds the text of a file, which must stay where it is: the rest of config_load(). */
enum ota_error config_add(struct config *config, const struct config_file *file, const char *text,
                          size_t length, struct ota_failure *failure);

/* The section that takes precedence of those with this name, without regard to the case of ASCII
 * letters; NULL if there is none. after: the next one behind it, else NULL. */
const struct config_section *config_find_section(const struct config *config, enum config_kind kind,
                                                 const char *name,
                                                 const struct config_section *after);

/* The first entry of this name in a section; NULL if there is none. */
const struct config_entry *config_find_entry(const struct config *config,
                                             const struct config_section *section,
                                             const char *name);

/* Puts the file and the line of the entry before the message. Returns the error. */
enum ota_error config_blame(const struct config_entry *entry, struct ota_failure *failure);

/* Likewise "NAME = VALUE", for a message that is the end of a sentence about them. */
enum ota_error config_blame_value(const struct config_entry *entry, struct ota_failure *failure);

void config_free(struct config *config);

#endif
