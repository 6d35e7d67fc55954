/* assignment.c: what a board is called. */
#include "fleet/assignment.h"

#include "base/escape.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

const char *assignment_target(char text[ASSIGNMENT_LABEL_MAX], const struct assignment *assignment)
{
    const struct target *target = &assignment->target;
    char full_name[TARGET_FULL_MAX];
    char name[4 * TARGET_NAME_MAX], path[TARGET_NAME_MAX], port[sizeof ":65535"] = "";

    escape_string(name, sizeof name, target_full_name(full_name, target));
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

uint16_t assignment_target_port(const struct assignment *assignment)
{
    return assignment->shares_name ? 0 : assignment->target.port;
}

const char *assignment_label(char label[ASSIGNMENT_LABEL_MAX], const struct assignment *assignment)
{
    if (!assignment->label)
        return assignment_target(label, assignment);
    return escape_string(label, ASSIGNMENT_LABEL_MAX, assignment->label);
}

void assignment_explain(const struct assignment *assignment, struct ota_failure *failure)
{
    enum assignment_secret secret = ASSIGNMENT_SECRET_SHARED;

    if (failure->error == OTA_E_PASSWORD_NEEDED)
        secret = assignment->common_password;
    else if (failure->error == OTA_E_KEY_NEEDED)
        secret = assignment->common_key;
    if (secret == ASSIGNMENT_SECRET_SHARED || failure->cause != OTA_CAUSE_NONE)
        return;

    failure->cause = OTA_CAUSE_PROJECT_BOARD;
    if (secret == ASSIGNMENT_SECRET_WITHHELD)
        text_append(failure->message, sizeof failure->message,
                    "; yours is not for a board that a project file, .esp-ota, names");
}
