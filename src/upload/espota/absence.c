/*
 * absence.c: groups the candidates by outcome, and describes each group in a clause.
 */
#include "upload/espota/absence.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

enum { LISTED_MAX = 6 };

/* The outcomes of an endpoint. The first one that occurred determines the error. */
enum outcome { SILENT, FOREIGN, REFUSED, UNREACHABLE, OUTCOME_COUNT };

static enum outcome find_outcome(const struct candidate *candidate)
{
    if (candidate->network_error == ECONNREFUSED)
        return REFUSED;
    if (candidate->network_error)
        return UNREACHABLE;
    return candidate->is_foreign ? FOREIGN : SILENT;
}

/* Candidates with the same outcome. */
struct group {
    char list[OTA_MESSAGE_MAX]; /* the addresses: "A, B and C" */
    size_t count;
    unsigned tries;       /* total of all candidates in the group */
    int network_error;    /* first errno in the group, or 0 */
    struct address first; /* the address that has it */
};

static bool is_in_group(const struct candidates *candidates, size_t i, enum outcome outcome)
{
    bool counts = candidates->tries[i] && (!candidates->is_settled || i == candidates->current);

    return counts && find_outcome(&candidates->list[i]) == outcome;
}

/* Fills in everything but the list. */
static void count_group(struct group *group, const struct candidates *candidates,
                        enum outcome outcome)
{
    *group = (struct group){.count = 0};

    for (size_t i = 0; i < endpoints_count(candidates->endpoints); i++) {
        if (!is_in_group(candidates, i, outcome))
            continue;

        group->count++;
        group->tries += candidates->tries[i];
        if (group->network_error)
            continue;
        group->network_error = candidates->list[i].network_error;
        group->first = endpoints_get(candidates->endpoints, i);
    }
}

static void find_group(struct group *group, const struct candidates *candidates,
                       enum outcome outcome)
{
    size_t listed = 0;

    count_group(group, candidates, outcome);
    for (size_t i = 0; listed < group->count && listed < LISTED_MAX; i++) {
        const struct address address = endpoints_get(candidates->endpoints, i);
        const char *separator = text_separator(listed, group->count, " and ");
        char where[ADDRESS_TEXT_MAX + 8];

        if (!is_in_group(candidates, i, outcome))
            continue;

        listed++;
        text_append(group->list, sizeof group->list, "%s%s", separator,
                    address_text_port(where, &address));
        if (outcome != UNREACHABLE)
            text_append(group->list, sizeof group->list, " (%s)",
                        endpoints_port_source(candidates->endpoints, i));
    }

    if (listed < group->count)
        text_append(group->list, sizeof group->list, " and %zu more", group->count - listed);
}

const char *absence_network_error(const struct address *board, int reason)
{
    if (reason != EADDRNOTAVAIL)
        return strerror(reason);
    return board->any.sa_family == AF_INET6 ? "this computer has no IPv6 address"
                                            : "this computer has no IPv4 address";
}

static void describe_group(char text[OTA_MESSAGE_MAX], const struct group *group,
                           enum outcome outcome, double seconds, const char *said)
{
    const char *plural = group->tries == 1 ? "" : "s";

    if (outcome == SILENT)
        text_append(text, OTA_MESSAGE_MAX, "no answer from %s to %u invitation%s in %.3g s",
                    group->list, group->tries, plural, seconds);
    else if (outcome == FOREIGN)
        text_append(text, OTA_MESSAGE_MAX,
                    "%s answered %u invitation%s in %.3g s with something that is not ArduinoOTA%s",
                    group->list, group->tries, plural, seconds, said);
    else if (outcome == REFUSED)
        text_append(text, OTA_MESSAGE_MAX, "nothing listens at %s", group->list);
    else
        text_append(text, OTA_MESSAGE_MAX, "%s cannot be reached: %s", group->list,
                    absence_network_error(&group->first, group->network_error));
}

enum ota_error absence_describe(char text[OTA_MESSAGE_MAX], const struct candidates *candidates,
                                double seconds, const char *said)
{
    static const enum ota_error errors[OUTCOME_COUNT] = {OTA_E_NO_ANSWER, OTA_E_NO_ANSWER,
                                                         OTA_E_NOT_LISTENING, OTA_E_UNREACHABLE};
    enum ota_error error = OTA_OK;
    struct group group;

    *text = '\0';
    for (size_t i = 0; i < OUTCOME_COUNT; i++) {
        find_group(&group, candidates, (enum outcome)i);
        if (!group.count)
            continue;

        if (error == OTA_OK)
            error = errors[i];
        else
            text_append(text, OTA_MESSAGE_MAX, "; ");
        describe_group(text, &group, (enum outcome)i, seconds, said);
    }
    return error;
}
