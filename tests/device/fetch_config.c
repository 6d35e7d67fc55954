/* Settings of a board that fetches: one table for the parser and the help. */
#include "fetch_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, FLAG, NUMBER };

#define FIELD(name) offsetof(struct fetch_config, name)

static const struct setting {
    const char *name;
    const char *help;
    enum kind kind;
    size_t offset;
} settings[] = {
    {"every-ms=N", "time from one request to the next (10000)", NUMBER, FIELD(every_ms)},
    {"version=TEXT", "the version that the sketch tells (none)", TEXT, FIELD(version)},
    {"version-after=TEXT", "the same after an update", TEXT, FIELD(version_after)},
    {"user=NAME", "the user's name for --password (admin)", TEXT, FIELD(user)},
    {"filesystem", "asks for the image of the filesystem", FLAG, FIELD(is_filesystem)},
    {"sidecar", "asks for URL.md5 first (arduino-esp32 from 2026)", FLAG, FIELD(has_sidecar)},
    {"piece=BYTES", "size of the pieces of idf-pieces (65536)", NUMBER, FIELD(piece)},
    {"rolls-back", "the new sketch does not start: it comes back with the old one", FLAG,
     FIELD(rolls_back)},
    {"stays", "does not restart after an update", FLAG, FIELD(never_restarts)},
    {"hasty", "a tenth of the library's time-outs", FLAG, FIELD(is_hasty)},
};

void fetch_config_start(struct fetch_config *config)
{
    *config = (struct fetch_config){.every_ms = 10000, .user = "admin", .piece = 65536};
}

static bool apply(struct fetch_config *config, const struct setting *row, const char *value)
{
    char *at = (char *)config + row->offset, *end = NULL;

    if (row->kind == FLAG) {
        *(bool *)at = true;
        return !value;
    }
    if (!value)
        return false;
    if (row->kind == TEXT) {
        memcpy(at, &value, sizeof value);
        return true;
    }
    const unsigned long number = strtoul(value, &end, 10);
    *(unsigned *)(void *)at = (unsigned)number;
    return end != value && !*end && number > 0 && number <= 86400000;
}

bool fetch_config_set(struct fetch_config *config, const char *setting, char *why, size_t why_size)
{
    const size_t length = strcspn(setting, "=");
    const char *value = setting[length] ? setting + length + 1 : NULL;

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const struct setting *row = &settings[i];
        if (strcspn(row->name, "=") != length || strncmp(row->name, setting, length) != 0)
            continue;
        if (apply(config, row, value))
            return true;
        snprintf(why, why_size, "`%s' does not read as %s", setting, row->name);
        return false;
    }
    snprintf(why, why_size, "there is no setting `%s' (--help lists them)", setting);
    return false;
}

void fetch_config_help(void)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        printf("  %-17s %s\n", settings[i].name, settings[i].help);
}
