/* Settings NAME or NAME=VALUE: see setting.h. */
#include "setting.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t name_length(const char *text)
{
    return strcspn(text, "=");
}

static const struct setting *find_setting(const struct setting_table *table, const char *text)
{
    const size_t length = name_length(text);

    for (size_t i = 0; i < table->count; i++)
        if (name_length(table->rows[i].name) == length &&
            strncmp(table->rows[i].name, text, length) == 0)
            return &table->rows[i];
    return NULL;
}

/* A number to the given base, and nothing behind it. */
static bool read_number(unsigned long *number, const char *value, int base)
{
    char *end = NULL;

    if (!value)
        return false;
    *number = strtoul(value, &end, base);
    return end != value && !*end;
}

static bool read_value(const struct setting_table *table, const struct setting *row, void *config,
                       const char *value)
{
    char *at = (char *)config + row->offset;
    unsigned long number = 0;

    switch (row->kind) {
    case SETTING_TEXT:
        memcpy(at, &value, sizeof value);
        return value != NULL;
    case SETTING_FLAG:
        *(bool *)at = true;
        return !value;
    case SETTING_NUMBER:
        if (!read_number(&number, value, 10) || number < table->min || number > table->max)
            return false;
        *(unsigned *)(void *)at = (unsigned)number;
        return true;
    case SETTING_BYTE:
        if (!read_number(&number, value, 16) || number > UINT8_MAX)
            return false;
        *(uint8_t *)at = (uint8_t)number;
        return true;
    case SETTING_OWN:
        return table->read(config, value);
    }
    return false;
}

bool setting_apply(const struct setting_table *table, void *config, const char *setting, char *why,
                   size_t why_size)
{
    const struct setting *row = find_setting(table, setting);
    const char *value = strchr(setting, '=');

    if (!row)
        snprintf(why, why_size, "there is no setting `%s' (--help lists them)", setting);
    else if (!read_value(table, row, config, value ? value + 1 : NULL))
        snprintf(why, why_size, "`%s' does not read as %s", setting, row->name);
    else
        return true;
    return false;
}

void setting_help(const struct setting_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        printf("  %-17s %s\n", table->rows[i].name, table->rows[i].help);
}
