/*
 * way.c: describes the path to a board, from the list of interfaces and the kernel's tables of
 * routes and neighbors.
 */
#include "upload/espota/way.h"

#include "base/text.h"
#include "discovery/networks.h"
#include "net/routing.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>

/* The interface through which datagrams to the board leave. The route decides, and not the source
 * address, which -I and routes may take from another interface; for this computer's own addresses
 * there is no route. NULL: unknown. */
static const char *find_outgoing(struct routing *routing, const struct candidates *candidates,
                                 const struct address *board, const struct address *local,
                                 const struct ifaddrs *interfaces)
{
    routing_find(routing, board, candidates->source);
    return *routing->interface ? routing->interface : networks_find_owner(local, interfaces);
}

/* Describes a detour on the path to the best candidate. With an interface for -I there is none, as
 * the route does not choose it. */
static enum ota_cause describe_detour(char text[WAY_MAX], const struct candidates *candidates,
                                      const struct claims *heard)
{
    size_t endpoint = candidates->is_settled ? candidates->current : 0;
    const struct address board = endpoints_get(candidates->endpoints, endpoint);
    struct ifaddrs *interfaces = NULL;
    enum ota_cause cause = OTA_CAUSE_NONE;
    struct address local;
    struct routing routing;

    if (*candidates->source->interface || !candidates_local(candidates, endpoint, &local) ||
        getifaddrs(&interfaces) < 0)
        return OTA_CAUSE_NONE;

    const char *outgoing = find_outgoing(&routing, candidates, &board, &local, interfaces);
    if (outgoing)
        cause = networks_describe_detour(text, &board, outgoing, &local, heard, interfaces);
    freeifaddrs(interfaces);
    return cause;
}

/* Whether no candidate at an address has replied; their numbers begin at first. */
static bool is_address_silent(const struct candidates *candidates, size_t first)
{
    bool was_tried = false;

    for (size_t i = first; i < first + candidates->endpoints->port_count; i++) {
        const struct candidate *candidate = &candidates->list[i];

        if (candidate->is_foreign || candidate->network_error == ECONNREFUSED)
            return false;
        was_tried |= candidates->tries[i] > 0;
    }
    return was_tried;
}

/* A single neighbor that is there determines the cause. "Nobody" must hold for all addresses. */
static enum ota_cause describe_neighbors(char text[WAY_MAX], const struct candidates *candidates)
{
    const struct endpoints *endpoints = candidates->endpoints;
    size_t silent = 0, nobody = 0, there = 0;
    char one[ROUTING_TEXT_MAX];

    for (size_t i = 0; i < endpoints->address_count; i++) {
        size_t first = i * endpoints->port_count;
        struct routing routing;

        if ((candidates->is_settled && candidates->current / endpoints->port_count != i) ||
            !is_address_silent(candidates, first))
            continue;

        silent++;
        routing_find(&routing, &endpoints->addresses[i], candidates->source);
        nobody += routing.neighbor == NEIGHBOR_NOBODY;
        there += routing.neighbor == NEIGHBOR_THERE;
        if (routing.neighbor != NEIGHBOR_UNKNOWN)
            text_append(text, WAY_MAX, "%s%s", *text ? "; " : "",
                        routing_describe(one, &endpoints->addresses[i], &routing));
    }

    if (there)
        return OTA_CAUSE_THERE;
    return nobody && nobody == silent ? OTA_CAUSE_NOBODY : OTA_CAUSE_NONE;
}

bool way_is_this_computer(char text[WAY_MAX], const struct candidates *candidates)
{
    const struct endpoints *endpoints = candidates->endpoints;

    for (size_t i = 0; i < endpoints->address_count; i++) {
        const struct address *board = &endpoints->addresses[i];
        struct address own;

        if (address_is_loopback(board) || source_toward(&own, &source_any, board) != 0 ||
            !address_equal(&own, board))
            return false;
    }
    snprintf(text, WAY_MAX, "%s of this computer itself",
             endpoints->address_count == 1 ? "that is an address" : "these are addresses");
    return true;
}

enum ota_cause way_describe(char text[WAY_MAX], const struct candidates *candidates,
                            const struct claims *heard)
{
    enum ota_cause cause;

    *text = '\0';
    if (way_is_this_computer(text, candidates))
        return OTA_CAUSE_THIS_COMPUTER;
    cause = describe_detour(text, candidates, heard);
    return cause == OTA_CAUSE_NONE ? describe_neighbors(text, candidates) : cause;
}

char *way_describe_local(char text[WAY_LOCAL_MAX], const struct candidates *candidates)
{
    const struct address board = endpoints_get(candidates->endpoints, candidates->current);
    struct ifaddrs *interfaces = NULL;
    const char *interface = NULL;
    char where[ADDRESS_TEXT_MAX + 8];
    struct address local;
    struct routing routing;

    *text = '\0';
    if (!candidates_local(candidates, candidates->current, &local))
        return text;

    if (getifaddrs(&interfaces) == 0)
        interface = find_outgoing(&routing, candidates, &board, &local, interfaces);
    snprintf(text, WAY_LOCAL_MAX, "%s on %s", address_text_port(where, &local),
             interface ? interface : "an unknown interface");
    freeifaddrs(interfaces);
    return text;
}

bool way_is_elsewhere(const struct candidates *candidates, const struct address *local)
{
    const struct address board = endpoints_get(candidates->endpoints, candidates->current);
    struct ifaddrs *interfaces = NULL;
    bool is_elsewhere;

    if (getifaddrs(&interfaces) < 0)
        return false;

    is_elsewhere = networks_is_elsewhere(&board, local, interfaces);
    freeifaddrs(interfaces);
    return is_elsewhere;
}
