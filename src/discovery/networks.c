/*
 * networks.c: compares the addresses of boards with the networks of this computer.
 */
#include "discovery/networks.h"

#include "discovery/namesakes.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum { OUTSIDE = -1 }; /* shorter than any prefix */

struct bits {
    const unsigned char *bytes;
    size_t length;
};

static struct bits bits_of(const struct address *address)
{
    if (address->any.sa_family == AF_INET6)
        return (struct bits){address->v6.sin6_addr.s6_addr, sizeof address->v6.sin6_addr};
    return (struct bits){(const unsigned char *)&address->v4.sin_addr, sizeof address->v4.sin_addr};
}

/* Returns the prefix length of the interface's network if the address is in it; else OUTSIDE. */
static int network_length(const struct ifaddrs *interface, const struct address *address)
{
    const struct sockaddr *base_source = interface->ifa_addr;
    struct address base, mask;
    int length = 0;

    /* The network of a point-to-point interface is its peer's. */
    if (interface->ifa_flags & IFF_POINTOPOINT && interface->ifa_dstaddr)
        base_source = interface->ifa_dstaddr;
    if (!address_from_interface(&base, base_source) ||
        !address_from_interface(&mask, interface->ifa_netmask) ||
        base.any.sa_family != address->any.sa_family)
        return OUTSIDE;
    if (base.any.sa_family == AF_INET6 && base.v6.sin6_scope_id != address->v6.sin6_scope_id)
        return OUTSIDE;

    struct bits a = bits_of(address), b = bits_of(&base), m = bits_of(&mask);
    for (size_t i = 0; i < a.length; i++) {
        if ((a.bytes[i] ^ b.bytes[i]) & m.bytes[i])
            return OUTSIDE;
        length += __builtin_popcount(m.bytes[i]);
    }
    return length > 0 ? length : OUTSIDE;
}

/* The same, and OUTSIDE if the interface is down or has no carrier. */
static int prefix_length(const struct ifaddrs *interface, const struct address *address)
{
    static const unsigned usable = IFF_UP | IFF_RUNNING;

    return (interface->ifa_flags & usable) == usable ? network_length(interface, address) : OUTSIDE;
}

static bool is_in_a_network(const struct address *address, const struct ifaddrs *interfaces)
{
    for (const struct ifaddrs *interface = interfaces; interface; interface = interface->ifa_next)
        if (prefix_length(interface, address) != OUTSIDE)
            return true;
    return false;
}

/* Addresses of a lower rank are tried first. */
static int rank_address(const struct address *address, const struct ifaddrs *interfaces)
{
    int rank = is_in_a_network(address, interfaces) ? 0 : 2;

    return address->any.sa_family == AF_INET6 ? rank + 1 : rank;
}

void networks_sort(struct address *addresses, size_t count, const struct ifaddrs *interfaces)
{
    for (size_t i = 1; i < count; i++) {
        struct address moved = addresses[i];
        int moved_rank = rank_address(&moved, interfaces);
        size_t place = i;

        for (; place > 0 && rank_address(&addresses[place - 1], interfaces) > moved_rank; place--)
            addresses[place] = addresses[place - 1];
        addresses[place] = moved;
    }
}

/* Returns the entry of the named interface whose network has the address. NULL: none. */
static const struct ifaddrs *find_own_network(const struct address *address, const char *name,
                                              const struct ifaddrs *interfaces)
{
    for (const struct ifaddrs *interface = interfaces; interface; interface = interface->ifa_next)
        if (strcmp(interface->ifa_name, name) == 0 && prefix_length(interface, address) != OUTSIDE)
            return interface;
    return NULL;
}

bool networks_show_two_boards(const struct address *a, const char *a_interface,
                              const struct address *b, const char *b_interface,
                              const struct ifaddrs *interfaces)
{
    const struct ifaddrs *a_own = find_own_network(a, a_interface, interfaces);
    const struct ifaddrs *b_own = find_own_network(b, b_interface, interfaces);

    if (!a_own || !b_own || a->any.sa_family != b->any.sa_family || address_equal(a, b))
        return false;
    if (prefix_length(a_own, b) != OUTSIDE)
        return true;

    return a->any.sa_family == AF_INET && strcmp(a_interface, b_interface) != 0;
}

/* Whether the address is not routed on the Internet, but only within a local network. */
static bool is_local_address(const struct address *address)
{
    static const struct {
        uint32_t network, mask;
    } locals[] = {
        {0x0A000000, 0xFF000000}, /* 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16: RFC 1918 */
        {0xAC100000, 0xFFF00000}, {0xC0A80000, 0xFFFF0000},
        {0xA9FE0000, 0xFFFF0000}, /* 169.254.0.0/16: link-local, RFC 3927 */
        {0x64400000, 0xFFC00000}, /* 100.64.0.0/10: shared, RFC 6598 */
    };
    uint32_t v4 = ntohl(address->v4.sin_addr.s_addr);

    if (address->any.sa_family == AF_INET6)
        return (address->v6.sin6_addr.s6_addr[0] & 0xFE) == 0xFC; /* fc00::/7: RFC 4193 */

    for (size_t i = 0; i < sizeof locals / sizeof *locals; i++)
        if ((v4 & locals[i].mask) == locals[i].network)
            return true;
    return false;
}

/* Returns any entry of the named interface. NULL: there is none. */
static const struct ifaddrs *find_interface(const char *name, const struct ifaddrs *interfaces)
{
    for (const struct ifaddrs *interface = interfaces; interface; interface = interface->ifa_next)
        if (strcmp(interface->ifa_name, name) == 0)
            return interface;
    return NULL;
}

/* Returns the interface with the smallest network that has the board. NULL: none, or the datagrams
 * left through it. */
static const struct ifaddrs *find_better(const struct address *board,
                                         const struct ifaddrs *outgoing,
                                         const struct ifaddrs *interfaces)
{
    const struct ifaddrs *best = NULL;
    int best_length = OUTSIDE, outgoing_length = OUTSIDE;

    for (const struct ifaddrs *interface = interfaces; interface; interface = interface->ifa_next) {
        bool is_outgoing = strcmp(interface->ifa_name, outgoing->ifa_name) == 0;
        int *longest = is_outgoing ? &outgoing_length : &best_length;
        int length = prefix_length(interface, board);

        if (length <= *longest)
            continue;
        *longest = length;
        if (!is_outgoing)
            best = interface;
    }

    /* Two cables into one network are no detour, but a tunnel beside a cable is. */
    if (best_length == outgoing_length && !(outgoing->ifa_flags & IFF_POINTOPOINT))
        return NULL;
    return best_length >= outgoing_length ? best : NULL;
}

/* Returns the interface on which the board was heard: the outgoing one rather than another. NULL:
 * none. */
static const char *find_heard(const struct networks_way *way)
{
    const char *found = NULL;

    for (size_t i = 0; way->heard && i < way->heard->count; i++) {
        const struct claim *claim = &way->heard->items[i];

        if (!*claim->interface || !address_equal(&claim->address, way->board))
            continue;

        found = claim->interface;
        if (strcmp(found, way->outgoing) == 0)
            break;
    }
    return found;
}

/* Whether the entry belongs to what -I names. */
static bool is_named(const struct ifaddrs *interface, const struct source *source)
{
    struct address own;

    if (*source->interface)
        return strcmp(interface->ifa_name, source->interface) == 0;
    return address_from_interface(&own, interface->ifa_addr) &&
           address_equal(&own, &source->address);
}

/* Whether what -I names is not in the board's network. A tunnel has no network of its own: its
 * routes say what is behind it. */
static bool is_source_outside(const struct networks_way *way, const struct ifaddrs *interfaces)
{
    if (source_is_any(way->source))
        return false;

    for (const struct ifaddrs *interface = interfaces; interface; interface = interface->ifa_next) {
        const bool is_chosen_tunnel = interface->ifa_flags & IFF_POINTOPOINT &&
                                      strcmp(interface->ifa_name, way->outgoing) == 0;

        if (is_named(interface, way->source) &&
            (is_chosen_tunnel || network_length(interface, way->board) != OUTSIDE))
            return false;
    }
    return true;
}

/* Returns the entry with the smallest network that has the board. NULL: none. */
static const struct ifaddrs *find_network(const struct address *board,
                                          const struct ifaddrs *interfaces)
{
    const struct ifaddrs *best = NULL;
    int longest = OUTSIDE;

    for (const struct ifaddrs *interface = interfaces; interface; interface = interface->ifa_next) {
        int length = prefix_length(interface, board);

        if (length <= longest)
            continue;
        longest = length;
        best = interface;
    }
    return best;
}

/* Writes "wlan0 (192.168.1.20)". Returns text. */
enum { END_MAX = IF_NAMESIZE + ADDRESS_TEXT_MAX + 4 };
static const char *describe_end(char text[END_MAX], const struct ifaddrs *interface)
{
    char where[ADDRESS_TEXT_MAX];
    struct address own;

    *text = '\0';
    if (address_from_interface(&own, interface->ifa_addr))
        snprintf(text, END_MAX, "%s (%s)", interface->ifa_name, address_text(where, &own));
    return text;
}

enum ota_cause networks_describe_detour(char target[NETWORKS_DETOUR_MAX],
                                        const struct networks_way *way,
                                        const struct ifaddrs *interfaces)
{
    const struct ifaddrs *outgoing = find_interface(way->outgoing, interfaces);
    const struct ifaddrs *network = find_network(way->board, interfaces);
    char named[SOURCE_TEXT_MAX], from[ADDRESS_TEXT_MAX], own[END_MAX];

    *target = '\0';
    if (!outgoing)
        return OTA_CAUSE_NONE;

    const char *heard = find_heard(way);
    const bool is_heard_there = heard && strcmp(heard, way->outgoing) == 0;
    address_text(from, way->local);

    if (network && !is_heard_there && is_source_outside(way, interfaces)) {
        snprintf(target, NETWORKS_DETOUR_MAX, "%s (-I) is not in the board's network, but %s is",
                 source_text(named, way->source), describe_end(own, network));
        return OTA_CAUSE_WRONG_SOURCE;
    }
    if (*way->source->interface) /* the route does not choose it */
        return OTA_CAUSE_NONE;

    const struct ifaddrs *better =
        is_heard_there ? NULL : find_better(way->board, outgoing, interfaces);
    if (better) {
        snprintf(target, NETWORKS_DETOUR_MAX,
                 "packets to the board leave through %s (%s), although %s is in the board's "
                 "network: a VPN or another route takes them",
                 way->outgoing, from, describe_end(own, better));
        return OTA_CAUSE_DETOUR;
    }
    if (heard && !is_heard_there) {
        snprintf(target, NETWORKS_DETOUR_MAX,
                 "packets to the board leave through %s (%s), although it announces itself on %s: "
                 "a VPN or another route takes them",
                 way->outgoing, from, heard);
        return OTA_CAUSE_DETOUR;
    }

    if (!is_local_address(way->board) || network)
        return OTA_CAUSE_NONE;

    snprintf(target, NETWORKS_DETOUR_MAX,
             "packets to the board leave through %s (%s), as no interface of this computer is in "
             "the board's network",
             way->outgoing, from);
    return OTA_CAUSE_OTHER_NETWORK;
}

const char *networks_find_owner(const struct address *local, const struct ifaddrs *interfaces)
{
    struct address own;

    for (const struct ifaddrs *interface = interfaces; interface; interface = interface->ifa_next)
        if (address_from_interface(&own, interface->ifa_addr) && address_equal(&own, local))
            return interface->ifa_name;
    return NULL;
}

bool networks_is_elsewhere(const struct address *board, const struct address *local,
                           const struct ifaddrs *interfaces)
{
    return is_local_address(board) && is_local_address(local) &&
           !is_in_a_network(board, interfaces);
}

bool networks_exist(const struct ifaddrs *interfaces)
{
    static const unsigned usable = IFF_UP | IFF_RUNNING;
    struct address own;

    for (const struct ifaddrs *interface = interfaces; interface; interface = interface->ifa_next)
        if ((interface->ifa_flags & (usable | IFF_LOOPBACK)) == usable &&
            address_from_interface(&own, interface->ifa_addr))
            return true;
    return false;
}

bool networks_is_offline(void)
{
    struct ifaddrs *interfaces = NULL;

    if (getifaddrs(&interfaces) < 0)
        return false;

    bool is_offline = !networks_exist(interfaces);
    freeifaddrs(interfaces);
    return is_offline;
}
