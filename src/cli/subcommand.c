/* subcommand.c: the subcommands of other tools, each with the command to write instead. */
#include "cli/subcommand.h"

#include "base/error.h"

#include <stddef.h>
#include <string.h>

#define UPLOAD "esp-ota -i BOARD -f FILE"
#define LIST "esp-ota -l"
#define FOLLOW "esp-ota -i BOARD --monitor"
#define CHECK "esp-ota --check -f FILE"

static const struct subcommand {
    const char *word;
    const char *command;
} subcommands[] = {
    {"upload", UPLOAD},
    {"flash", UPLOAD},
    {"run", UPLOAD},
    {"write", UPLOAD},
    {"ota", UPLOAD},
    {"update", UPLOAD},
    {"program", UPLOAD},
    {"list", LIST},
    {"ls", LIST},
    {"scan", LIST},
    {"discover", LIST},
    {"monitor", FOLLOW},
    {"logs", FOLLOW},
    {"check", CHECK},
    {"image_info", CHECK},
    {"sign", "esp-ota --sign KEY -f FILE --output SIGNED"},
    {"serve", "esp-ota --serve -f FILE"},
    {"help", "esp-ota --help"},
    {"version", "esp-ota --version"},
};

static const struct subcommand *find_subcommand(const char *word)
{
    for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
        if (strcmp(subcommands[i].word, word) == 0)
            return &subcommands[i];
    return NULL;
}

bool subcommand_is_one(const char *word)
{
    return find_subcommand(word) != NULL;
}

enum ota_error subcommand_reject(const char *word, struct ota_failure *failure)
{
    return ota_fail(failure, OTA_E_USAGE,
                    "esp-ota has no subcommands; instead of '%s' write %s (-i %s means a board of "
                    "that name)",
                    word, find_subcommand(word)->command, word);
}
