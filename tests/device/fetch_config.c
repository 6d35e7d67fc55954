/* Settings of a board that fetches: one table for the parser and the help. */
#include "fetch_config.h"

#include "setting.h"

#define FIELD(name) offsetof(struct fetch_config, name)

static const struct setting rows[] = {
    {"every-ms=N", "time from one request to the next (10000)", SETTING_NUMBER, FIELD(every_ms)},
    {"version=TEXT", "the version that the sketch tells (none)", SETTING_TEXT, FIELD(version)},
    {"version-after=TEXT", "the same after an update", SETTING_TEXT, FIELD(version_after)},
    {"user=NAME", "the user's name for --password (admin)", SETTING_TEXT, FIELD(user)},
    {"filesystem", "asks for the image of the filesystem", SETTING_FLAG, FIELD(is_filesystem)},
    {"sidecar", "asks for URL.md5 first (arduino-esp32 from 2026)", SETTING_FLAG,
     FIELD(has_sidecar)},
    {"piece=BYTES", "size of the pieces of idf-pieces (65536)", SETTING_NUMBER, FIELD(piece)},
    {"rolls-back", "the new sketch does not start: it comes back with the old one", SETTING_FLAG,
     FIELD(rolls_back)},
    {"stays", "does not restart after an update", SETTING_FLAG, FIELD(never_restarts)},
    {"hasty", "a tenth of the library's time-outs", SETTING_FLAG, FIELD(is_hasty)},
};

static const struct setting_table table = {
    .rows = rows, .count = sizeof rows / sizeof *rows, .min = 1, .max = 86400000};

void fetch_config_start(struct fetch_config *config)
{
    *config = (struct fetch_config){.every_ms = 10000, .user = "admin", .piece = 65536};
}

bool fetch_config_set(struct fetch_config *config, const char *setting, char *why, size_t why_size)
{
    return setting_apply(&table, config, setting, why, why_size);
}

void fetch_config_help(void)
{
    setting_help(&table);
}
