/*
 * spelling.c: see spelling.h.
 */
#include "cli/spelling.h"

#include "base/escape.h"
#include "cli/abbreviation.h"
#include "cli/options_table.h"

#include <stdio.h>
#include <string.h>

const char *spelling_name(char buffer[SPELLING_MAX], const char *argument)
{
    return escape_text(buffer, SPELLING_MAX, argument, strcspn(argument, SPELLING_NAME_END));
}

size_t spelling_long_dash(const char *text)
{
    return strncmp(text, "\xe2\x80\x93", 3) == 0 || strncmp(text, "\xe2\x80\x94", 3) == 0 ? 3 : 0;
}

bool spelling_is_script(const char *text)
{
    size_t length = strlen(text);

    return length > 3 && strcmp(text + length - 3, ".py") == 0;
}

bool spelling_correct(char buffer[SPELLING_MAX], const char *text)
{
    size_t hyphens = strspn(text, "-");
    size_t dashes = spelling_long_dash(text);
    if (dashes == 0)
        dashes = hyphens < 2 ? hyphens : 2;

    const char *name = text + dashes;
    size_t length = strcspn(name, SPELLING_NAME_END);
    if (name == text || length == 0)
        return false;

    const struct poptOption *row = options_find_name(name, length);
    if (!row && hyphens >= 2)
        row = abbreviation_find(name, length);
    if (row)
        snprintf(buffer, SPELLING_MAX, "--%s", row->longName);
    else if (hyphens < 2 && name[1] == '\0' && options_find_letter(*name))
        snprintf(buffer, SPELLING_MAX, "-%c", *name);
    else
        return false;
    return true;
}

bool spelling_translate(char buffer[SPELLING_MAX], const char *text)
{
    if (text[0] != '-' || text[1] == '-')
        return false;

    const char *name = text + 1;
    const char *option = options_find_synonym(name, strcspn(name, SPELLING_NAME_END));
    if (option)
        snprintf(buffer, SPELLING_MAX, "--%s", option);
    return option != NULL;
}
