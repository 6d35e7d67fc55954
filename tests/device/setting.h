/* Settings NAME or NAME=VALUE on the command line: one table for the parser and the help. */
#ifndef DEVICE_SETTING_H
#define DEVICE_SETTING_H

#include <stdbool.h>
#include <stddef.h>

enum setting_kind {
    SETTING_TEXT,   /* a const char *, which points into the command line */
    SETTING_FLAG,   /* a bool, which becomes true; there is no value */
    SETTING_NUMBER, /* an unsigned, within the limits of the table */
    SETTING_BYTE,   /* a uint8_t, in hexadecimal digits */
    SETTING_OWN,    /* what the table's read() takes; one row at most */
};

struct setting {
    const char *name; /* "NAME" or "NAME=WORD" */
    const char *help;
    enum setting_kind kind;
    size_t offset; /* in the config */
};

struct setting_table {
    const struct setting *rows;
    size_t count;
    unsigned long min, max; /* of numbers */
    /* For the setting that is SETTING_OWN: applies the value, NULL if there is none. Returns false
     * if it does not read so. */
    bool (*read)(void *config, const char *value);
};

/* Applies a setting. On failure writes a sentence without full stop into why. */
bool setting_apply(const struct setting_table *table, void *config, const char *setting, char *why,
                   size_t why_size);

/* Prints the table, for --help. */
void setting_help(const struct setting_table *table);

#endif
