/*
 * fuzz-aliases.c: a file of popt's aliases, behind the command line that uses them (up to the first
 * line break). Lines without an alias change nothing: popt itself would drop an option for some.
 */
#include "cli/aliases.h"
#include "require.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_options(const char *word, char *text)
{
    int value = 0, first = 0;
    unsigned long size = 0;
    bool is_too_deep = false;
    const struct poptOption table[] = {
        {.longName = "number", .shortName = 'n', .argInfo = POPT_ARG_INT, .arg = &value, .val = 1},
        {.longName = "word", .shortName = 'w', .argInfo = POPT_ARG_STRING, .val = 2},
        {.longName = "flag", .shortName = 'f', .argInfo = POPT_ARG_NONE, .val = 3},
        {.longName = ALIASES_SIZE, .argInfo = POPT_ARG_STRING, .val = 4},
        POPT_TABLEEND,
    };
    const char *argv[] = {"esp-ota", "--number=7", word, NULL};
    poptContext popt = poptGetContext("esp-ota", 3, argv, table, 0);

    const bool has_alias = strstr(text, "alias") || strchr(text, '\\');
    require(popt && aliases_add_text(popt, "nw", text) == 0);
    for (int code;
         !is_too_deep && size <= ALIASES_WORDS_MAX && (code = poptGetNextOpt(popt)) > 0;) {
        char *argument = code == 2 || code == 4 ? poptGetOptArg(popt) : NULL;

        if (first == 0)
            first = value;
        if (code == 4 && argument) {
            size += strtoul(argument, NULL, 10);
            is_too_deep = strcmp(argument, ALIASES_TOO_DEEP) == 0;
        }
        free(argument);
    }
    require(has_alias || first == 7); /* word may have another number */
    poptFreeContext(popt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    char *word = strndup((const char *)data, end ? (size_t)(end - data) : size);
    char *text = end ? strndup((const char *)end + 1, size - (size_t)(end - data) - 1) : strdup("");

    if (word && text)
        read_options(word, text);
    free(word);
    free(text);
    return 0;
}
