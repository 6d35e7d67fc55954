/* resolve_failure.c: composes the message about a name that was not found. */
#include "discovery/resolve_failure.h"

#include "base/error.h"
#include "base/text.h"
#include "base/units.h"
#include "discovery/networks.h"

#include <stdio.h>

enum { CLAUSE_MAX = 192 };

static bool is_announced(const struct resolve_failure *facts)
{
    return facts->useless->any.sa_family != AF_UNSPEC;
}

static void describe_mdns(char target[CLAUSE_MAX], const struct resolve_failure *facts)
{
    char wait[UNITS_TEXT_MAX], address[ADDRESS_TEXT_MAX];

    if (is_announced(facts))
        snprintf(target, CLAUSE_MAX, "announced with the address %s, which no board can have",
                 address_text(address, facts->useless));
    else if (facts->unavailable[0])
        snprintf(target, CLAUSE_MAX, "multicast DNS cannot be asked (%s)", facts->unavailable);
    else if (facts->is_mdns_asked)
        snprintf(target, CLAUSE_MAX, "multicast DNS gave no answer in %s",
                 format_wait(wait, facts->seconds));
    else
        target[0] = '\0';
}

static void describe_system(char target[CLAUSE_MAX], const struct resolve_failure *facts)
{
    char wait[UNITS_TEXT_MAX];

    if (facts->is_system_pending)
        snprintf(target, CLAUSE_MAX, "the system resolver gave no answer in %s",
                 format_wait(wait, facts->seconds));
    else if (facts->is_system_asked && facts->system_why[0])
        snprintf(target, CLAUSE_MAX, "the system resolver says \"%s\"", facts->system_why);
    else
        target[0] = '\0';
}

static void describe_known_boards(char target[OTA_MESSAGE_MAX], const struct resolve_failure *facts)
{
    struct suggestions boards = *facts->boards;
    char list[OTA_MESSAGE_MAX / 2];
    bool are_many = boards.total > boards.count;

    if (are_many)
        suggest_keep_similar(&boards);
    suggest_list(list, sizeof list, &boards);
    if (facts->is_pattern)
        snprintf(target, OTA_MESSAGE_MAX, "boards announced here match it as a pattern");
    else if (are_many && boards.count == 0)
        snprintf(target, OTA_MESSAGE_MAX,
                 "none of the %zu boards announced here has a similar name", boards.total);
    else if (are_many)
        snprintf(target, OTA_MESSAGE_MAX, "of %zu boards announced here, the most similar %s %s",
                 boards.total, boards.count == 1 ? "is" : "are", list);
    else if (boards.total)
        snprintf(target, OTA_MESSAGE_MAX, "announced here: %s", list);
    else if (facts->is_offline)
        snprintf(target, OTA_MESSAGE_MAX, NETWORKS_OFFLINE);
    else if (facts->has_all_boards)
        snprintf(target, OTA_MESSAGE_MAX, "no board is announced here");
    else
        snprintf(target, OTA_MESSAGE_MAX,
                 "\"esp-ota -l\" lists the boards that announce themselves");
}

static void describe_advice(char target[OTA_MESSAGE_MAX], const struct resolve_failure *facts)
{
    target[0] = '\0';
    if (!facts->unavailable[0] && !is_announced(facts))
        describe_known_boards(target, facts);
}

/* Whether the board may be the one that is meant, and takes images by another way. */
static bool needs_other_way(const struct suggestion *nearest)
{
    return nearest->is_similar && nearest->note;
}

static enum ota_cause find_cause(const struct resolve_failure *facts)
{
    const bool is_unavailable = facts->unavailable[0] != '\0';

    if (facts->is_local)
        return facts->lack;
    if (is_announced(facts))
        return OTA_CAUSE_NO_ADDRESS;
    if (facts->is_pattern && !is_unavailable)
        return OTA_CAUSE_PATTERN;
    if (facts->is_separated)
        return OTA_CAUSE_SEPARATED;
    if (is_unavailable && facts->is_dns_name)
        return OTA_CAUSE_NONE;
    if (is_unavailable)
        return facts->lack == OTA_CAUSE_NO_LIBRARY ? OTA_CAUSE_NO_LIBRARY : OTA_CAUSE_NO_AVAHI;
    if (facts->boards->total == 0)
        return facts->is_offline ? OTA_CAUSE_NO_NETWORK : OTA_CAUSE_NONE;
    return needs_other_way(&facts->boards->best[0]) ? OTA_CAUSE_OTHER_WAY : OTA_CAUSE_OTHER_NAMES;
}

void resolve_failure_describe(const struct resolve_failure *facts, struct ota_failure *failure)
{
    char mdns[CLAUSE_MAX], system[CLAUSE_MAX];
    char advice[OTA_MESSAGE_MAX];

    describe_mdns(mdns, facts);
    describe_system(system, facts);
    describe_advice(advice, facts);

    ota_fail(failure, facts->is_local ? OTA_E_INTERNAL : OTA_E_NOT_FOUND, "%s: %s%s%s%s%s",
             facts->is_local ? "cannot be looked up" : "not found", mdns,
             mdns[0] && system[0] ? ", and " : "", system, advice[0] ? "; " : "", advice);
    failure->cause = find_cause(facts);
    if (facts->lists_hosts && facts->boards->total == 0 && !is_announced(facts))
        text_append(failure->message, sizeof failure->message,
                    "; a comma or semicolon does not separate names");
}
