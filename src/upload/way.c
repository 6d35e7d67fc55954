/*
 * way.c: describes the path to a board, from the list of interfaces and the kernel's tables of
 * routes and neighbors.
 */
#include "upload/way.h"

#include "base/text.h"
#include "discovery/networks.h"
#include "net/routing.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>

/* The interface through which datagrams to the board leave. The route decides, and not the source
 * address, which -I and routes may take from another interface; for this computer's own addresses
 * there is no route. NULL: unknown. */
static const char *find_outgoing(struct routing *routing, const struct address *board,
                                 const struct source *source, const struct address *local,
                                 const struct ifaddrs *interfaces)
{
    routing_find(routing, board, source);
    return *routing->interface ? routing->interface : networks_find_owner(local, interfaces);
}

/* Describes an unlikely path from the address local. */
static enum ota_cause describe_detour(char text[WAY_MAX], const struct way *way,
                                      const struct address *local)
{
    const struct address *board = &way->endpoints->addresses[way->best];
    struct ifaddrs *interfaces = NULL;
    enum ota_cause cause = OTA_CAUSE_NONE;
    struct routing routing;

    if (getifaddrs(&interfaces) < 0)
        return OTA_CAUSE_NONE;

    const char *outgoing = find_outgoing(&routing, board, way->source, local, interfaces);
    if (outgoing) {
        const struct networks_way taken = {.board = board,
                                           .outgoing = outgoing,
                                           .local = local,
                                           .source = way->source,
                                           .heard = way->heard};
        cause = networks_describe_detour(text, &taken, interfaces);
    }
    freeifaddrs(interfaces);
    return cause;
}

/* A single neighbor that is there determines the cause. "Nobody" must hold for all addresses. */
static enum ota_cause describe_neighbors(char text[WAY_MAX], const struct way *way)
{
    size_t silent = 0, nobody = 0, there = 0;
    char one[ROUTING_TEXT_MAX];

    for (size_t i = 0; i < way->endpoints->address_count; i++) {
        const struct address *address = &way->endpoints->addresses[i];
        struct routing routing;

        if (!way->is_silent[i])
            continue;

        silent++;
        routing_find(&routing, address, way->source);
        nobody += routing.neighbor == NEIGHBOR_NOBODY;
        there += routing.neighbor == NEIGHBOR_THERE;
        if (routing.neighbor != NEIGHBOR_UNKNOWN)
            text_append(text, WAY_MAX, "%s%s", *text ? "; " : "",
                        routing_describe(one, address, &routing));
    }

    if (there)
        return OTA_CAUSE_THERE;
    return nobody && nobody == silent ? OTA_CAUSE_NOBODY : OTA_CAUSE_NONE;
}

bool way_is_this_computer(char text[WAY_MAX], const struct endpoints *endpoints)
{
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

/* Why no packet to the board leaves this computer, by errno. */
static enum ota_cause describe_blockage(char text[WAY_MAX], const struct way *way, int reason)
{
    const struct address *board = &way->endpoints->addresses[way->best];
    const char *does = "prohibits it";

    if (reason == EACCES && source_is_broadcast(board)) {
        snprintf(text, WAY_MAX, "that is the broadcast address of a network");
        return OTA_CAUSE_BROADCAST;
    }
    if (reason == EINVAL && !source_is_any(way->source)) {
        snprintf(text, WAY_MAX, "-I does not lead there");
        return OTA_CAUSE_WRONG_SOURCE;
    }

    if (reason == EINVAL)
        does = "discards it";
    else if (reason == EHOSTUNREACH)
        does = "makes it unreachable";
    else if (reason != EACCES)
        return OTA_CAUSE_NONE;
    snprintf(text, WAY_MAX, "a route of this computer %s", does);
    return OTA_CAUSE_NO_WAY_OUT;
}

enum ota_cause way_describe(char text[WAY_MAX], const struct way *way)
{
    enum ota_cause cause = OTA_CAUSE_NONE;
    struct address local;

    *text = '\0';
    if (way_is_this_computer(text, way->endpoints))
        return OTA_CAUSE_THIS_COMPUTER;

    const int reason = source_toward(&local, way->source, &way->endpoints->addresses[way->best]);
    if (reason == 0)
        cause = describe_detour(text, way, &local);
    else if (way->endpoints->address_count == 1)
        cause = describe_blockage(text, way, reason);
    return cause == OTA_CAUSE_NONE ? describe_neighbors(text, way) : cause;
}

char *way_describe_local(char text[WAY_LOCAL_MAX], const struct address *board,
                         const struct address *local, const struct source *source)
{
    struct ifaddrs *interfaces = NULL;
    const char *interface = NULL;
    char where[ADDRESS_TEXT_MAX + 8];
    struct routing routing;

    if (getifaddrs(&interfaces) == 0)
        interface = find_outgoing(&routing, board, source, local, interfaces);
    snprintf(text, WAY_LOCAL_MAX, "%s on %s", address_text_port(where, local),
             interface ? interface : "an unknown interface");
    freeifaddrs(interfaces);
    return text;
}

bool way_is_elsewhere(const struct address *board, const struct address *local)
{
    struct ifaddrs *interfaces = NULL;
    bool is_elsewhere;

    if (getifaddrs(&interfaces) < 0)
        return false;

    is_elsewhere = networks_is_elsewhere(board, local, interfaces);
    freeifaddrs(interfaces);
    return is_elsewhere;
}
