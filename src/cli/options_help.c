/*
 * options_help.c: describes the options: --help, --usage, --version and "did you mean". popt's own
 * printer can neither keep each option on one line nor report that it could not write.
 */
#include "cli/config_options.h"
#include "cli/options_table.h"
#include "cli/version.h"

#include "base/error.h"
#include "base/stdio_guard.h"
#include "base/stdout_text.h"
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LINE_WIDTH = 79, TEXT_COLUMN = 28, USAGE_INDENT = 15, NAME_MAX_LENGTH = 32 };

static const char help_head[] =
    "Usage: esp-ota -i HOST [-a PASSWORD] -f FILE [OPTION...]\n"
    "       esp-ota [OPTION...] HOST... FILE\n"
    "       esp-ota -i HOST --monitor [OPTION...]\n"
    "       esp-ota --serve -f FILE [OPTION...]\n"
    "       esp-ota --check -f FILE [OPTION...]\n"
    "       esp-ota -l [OPTION...]\n"
    "       esp-ota --show-config [OPTION...]\n"
    "\n"
    "Puts firmware onto boards over Wi-Fi (ESP8266, ESP32, Pico W and others):\n"
    "through ArduinoOTA, their update page, ESPHome or a sketch server, or by\n"
    "serving it to boards that fetch it. The options of espota.py keep their\n"
    "meaning. A word without an option is the image if it is a file, else a board.\n";

static const char help_tail[] =
    "\n"
    "Examples:\n"
    "  esp-ota -l\n"
    "  esp-ota kitchen.local firmware.bin\n"
    "  esp-ota -i 192.168.1.42 --auth-file ~/.config/ota-password -f firmware.bin\n"
    "  esp-ota -i \"Living room lamp\" -s -f littlefs.bin\n"
    "  esp-ota -i http://lamp.local -f firmware.bin\n"
    "\n"
    "esp-ota(1) explains the options. Exit status 0 means that the board confirmed\n"
    "the upload; the page lists the others. esp-ota-config(5) shows how all this\n"
    "becomes as short as `esp-ota kitchen`.\n";

static void print_option_row(FILE *stream, const struct poptOption *row)
{
    int used =
        row->shortName ? fprintf(stream, "  -%c, ", row->shortName) : fprintf(stream, "      ");

    used += fprintf(stream, "--%s", row->longName);
    if (row->argDescrip)
        used += fprintf(stream, "%s%s", options_value_is_optional(row) ? "" : " ", row->argDescrip);
    fprintf(stream, "%*s%s\n", used + 2 > TEXT_COLUMN ? 2 : TEXT_COLUMN - used, "", row->descrip);
}

/* What --no-NAME is for. */
static void print_taking_back(FILE *stream)
{
    const struct poptOption *row;

    for (size_t n = 0; (row = options_row(n)); n++)
        if (!options_is_hidden(row) && config_options_is_flag((enum option)row->val))
            fprintf(stream, "      --no-%-*s  no --%s, whatever a configuration says\n",
                    TEXT_COLUMN - 13, row->longName, row->longName);
}

/* Each option is one line, so that it says all where grep has found it. */
static void print_help(FILE *stream)
{
    fputs(help_head, stream);
    for (const struct poptOption *group = options_groups; group->arg; group++) {
        fprintf(stream, "\n%s\n", group->descrip);
        for (const struct poptOption *row = options_rows(group); row->longName; row++) {
            if (!options_is_hidden(row))
                print_option_row(stream, row);
        }
        if (options_rows(group)->val == OPTION_CONFIG)
            print_taking_back(stream);
    }
    fputs(help_tail, stream);
}

static size_t print_usage_row(FILE *stream, const struct poptOption *row, size_t used)
{
    char text[LINE_WIDTH];
    const char *argument = row->argDescrip ? row->argDescrip : "";
    const char *space = row->argDescrip && !options_value_is_optional(row) ? " " : "";
    int length = row->shortName
                     ? snprintf(text, sizeof text, "[-%c|--%s%s%s]", row->shortName, row->longName,
                                space, argument)
                     : snprintf(text, sizeof text, "[--%s%s%s]", row->longName, space, argument);

    if (used + 1 + (size_t)length > LINE_WIDTH) {
        fprintf(stream, "\n%*s", USAGE_INDENT - 1, "");
        used = USAGE_INDENT - 1;
    }
    fprintf(stream, " %s", text);
    return used + 1 + (size_t)length;
}

static void print_usage(FILE *stream)
{
    size_t used = (size_t)fprintf(stream, "Usage: esp-ota");
    const struct poptOption *row;
    for (size_t n = 0; (row = options_row(n)); n++) {
        if (!options_is_hidden(row))
            used = print_usage_row(stream, row, used);
    }
    fputc('\n', stream);
}

static enum ota_error print(void (*print_page)(FILE *stream), struct ota_failure *failure)
{
    struct stdout_text text;

    if (stdout_text_open(&text))
        print_page(text.stream);
    int error = stdout_text_write(&text, STDIO_GUARD_NO_LIMIT);
    return error == 0 ? OTA_OK : ota_fail_stdout(failure, error);
}

enum ota_error options_print_help(struct ota_failure *failure)
{
    return print(print_help, failure);
}

enum ota_error options_print_usage(struct ota_failure *failure)
{
    return print(print_usage, failure);
}

enum ota_error options_print_version(struct ota_failure *failure)
{
    return print(version_print, failure);
}

/* What other programs call an option, and its name here. */
static const char *const synonyms[][2] = {
    {"pass", "auth"},      {"passwd", "auth"}, {"passwort", "auth"}, {"password", "auth"},
    {"host", "ip"},        {"address", "ip"},  {"target", "ip"},     {"image", "file"},
    {"firmware", "file"},  {"sketch", "file"}, {"bin", "file"},      {"device", "ip"},
    {"upload-port", "ip"}, {"hostname", "ip"}, {"filename", "file"}, {"retry", "retries"},
};

const char *options_find_synonym(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
        if (strlen(synonyms[i][0]) == length && strncasecmp(synonyms[i][0], name, length) == 0)
            return synonyms[i][1];
    return NULL;
}

struct likely {
    const char *option; /* NULL: none so far */
    size_t distance;    /* of the name that means it; a likely option is closer than at first */
};

/* The distance of an option's name that may be cut short. */
static size_t option_distance(const char *wanted, const char *name)
{
    size_t length = strlen(wanted);
    bool is_start = length >= 3 && strncasecmp(name, wanted, length) == 0;

    return is_start ? 1 : suggest_distance(wanted, name);
}

/* Keeps the option if this name for it is the closest to wanted so far. */
static void offer_option(struct likely *likely, const char *wanted, const char *name,
                         size_t distance, const char *option)
{
    if (distance < likely->distance && suggest_is_similar(distance, strlen(wanted), strlen(name)))
        *likely = (struct likely){option, distance};
}

const char *options_suggest(const char *name, size_t length)
{
    const char *synonym = options_find_synonym(name, length);
    struct likely likely = {.distance = 3};
    char wanted[NAME_MAX_LENGTH + 1];
    const struct poptOption *row;

    if (synonym || length < 2 || length > NAME_MAX_LENGTH)
        return synonym;

    snprintf(wanted, sizeof wanted, "%.*s", (int)length, name);
    for (size_t n = 0; (row = options_row(n)); n++)
        offer_option(&likely, wanted, row->longName, option_distance(wanted, row->longName),
                     row->longName);
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
        offer_option(&likely, wanted, synonyms[i][0], suggest_distance(wanted, synonyms[i][0]),
                     synonyms[i][1]);
    return likely.option;
}
