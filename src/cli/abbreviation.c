/*
 * abbreviation.c: see abbreviation.h.
 */
#include "cli/abbreviation.h"

#include "base/text.h"
#include "cli/options_table.h"

#include <stdbool.h>
#include <string.h>

/* The long options of espota.py, of all cores. */
static const char *const espota_names[] = {"auth", "debug",    "file",      "help",
                                           "ip",   "host_ip",  "host_port", "md5_target",
                                           "port", "progress", "spiffs",    "timeout"};

static bool begins_with(const char *text, const char *name, size_t length)
{
    return length > 0 && strncmp(text, name, length) == 0;
}

/* Returns the n-th option, from 0, whose name begins with name; NULL behind the last. A second
 * spelling of an option counts only where the first one does not begin like that. */
static const struct poptOption *nth_candidate(const char *name, size_t length, size_t n)
{
    const struct poptOption *row;

    for (size_t i = 0; (row = options_row(i)); i++) {
        const struct poptOption *first = options_find((enum option)row->val);
        bool is_repeated = row != first && begins_with(first->longName, name, length);

        if (begins_with(row->longName, name, length) && !is_repeated && n-- == 0)
            return row;
    }
    return NULL;
}

/* NULL also if several options of espota.py begin with name. */
static const struct poptOption *find_espota(const char *name, size_t length)
{
    const char *found = NULL;

    for (size_t i = 0; i < sizeof espota_names / sizeof *espota_names; i++) {
        if (!begins_with(espota_names[i], name, length))
            continue;
        if (found)
            return NULL;
        found = espota_names[i];
    }
    return found ? options_find_name(found, strlen(found)) : NULL;
}

const struct poptOption *abbreviation_find(const char *name, size_t length)
{
    const struct poptOption *only = nth_candidate(name, length, 0);

    return only && nth_candidate(name, length, 1) ? find_espota(name, length) : only;
}

size_t abbreviation_list(char list[ABBREVIATION_LIST_MAX], const char *name, size_t length)
{
    size_t count = 0;

    while (nth_candidate(name, length, count))
        count++;

    list[0] = '\0';
    for (size_t i = 0; i < count; i++)
        text_append(list, ABBREVIATION_LIST_MAX, "%s--%s", text_separator(i, count, " or "),
                    nth_candidate(name, length, i)->longName);
    return count;
}
