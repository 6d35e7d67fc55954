/* assignment.c: what a board is called. */
#include "fleet/assignment.h"

#include "base/escape.h"

#include <stdio.h>
#include <string.h>

const char *assignment_target(char text[ASSIGNMENT_LABEL_MAX], const struct assignment *assignment)
{
    const struct target *target = &assignment->target;
    char name[4 * TARGET_NAME_MAX], path[TARGET_NAME_MAX], port[sizeof ":65535"] = "";

    escape_string(name, sizeof name, target->name);
    escape_string(path, sizeof path, target->path);
    if (target->port)
        snprintf(port, sizeof port, ":%u", target->port);

    const bool has_brackets = *port && strchr(name, ':') && target->kind == TARGET_ADDRESS;
    if (assignment->shares_name)
        snprintf(text, ASSIGNMENT_LABEL_MAX, "%s%s%s%s%s", has_brackets ? "[" : "", name,
                 has_brackets ? "]" : "", port, path);
    else
        snprintf(text, ASSIGNMENT_LABEL_MAX, "%s", name);
    return text;
}

const char *assignment_label(char label[ASSIGNMENT_LABEL_MAX], const struct assignment *assignment)
{
    if (!assignment->label)
        return assignment_target(label, assignment);
    return escape_string(label, ASSIGNMENT_LABEL_MAX, assignment->label);
}
