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

/* Returns the prefix length of the interface's network if the address is in it. OUTSIDE: it is not,
 * or the interface is down or has no carrier. */
static int prefix_length(const struct ifaddrs *interface, const struct address *address)
{
    static const unsigned usable = IFF_UP | IFF_RUNNING;
    const struct sockaddr *base_source = interface->ifa_addr;
    struct address base, mask;
    int length = 0;

    /* The network of a point-to-point interface is its peer's. */
    if (interface->ifa_flags & IFF_POINTOPOINT && interface->ifa_dstaddr)
        base_source = interface->ifa_dstaddr;
    if ((interface->ifa_flags & usable) != usable || !address_from_interface(&base, base_source) ||
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

/* Returns the interface on which the board was heard. NULL: none, or the outgoing one, too. */
static const char *find_heard(const struct address *board, const char *outgoing,
                              const struct claims *heard)
{
    const char *found = NULL;

    for (size_t i = 0; heard && i < heard->count; i++) {
        const struct claim *claim = &heard->items[i];

        if (!*claim->interface || !address_equal(&claim->address, board))
            continue;
        if (strcmp(claim->interface, outgoing) == 0)
            return NULL;

        found = claim->interface;
    }
    return found;
}

enum ota_cause networks_describe_detour(char target[NETWORKS_DETOUR_MAX],
                                        const struct address *board, const char *outgoing,
                                        const struct address *local, const struct claims *heard,
                                        const struct ifaddrs *interfaces)
{
    const struct ifaddrs *way = find_interface(outgoing, interfaces);
    char from[ADDRESS_TEXT_MAX], own[ADDRESS_TEXT_MAX];
    struct address own_address;

    *target = '\0';
    if (!way)
        return OTA_CAUSE_NONE;

    address_text(from, local);
    const struct ifaddrs *better = find_better(board, way, interfaces);
    if (better && address_from_interface(&own_address, better->ifa_addr)) {
        snprintf(target, NETWORKS_DETOUR_MAX,
                 "invitations leave through %s (%s), although %s (%s) is in the board's network: a "
                 "VPN or another route takes them",
                 outgoing, from, better->ifa_name, address_text(own, &own_address));
        return OTA_CAUSE_DETOUR;
    }

    const char *other = find_heard(board, outgoing, heard);
    if (other) {
        snprintf(target, NETWORKS_DETOUR_MAX,
                 "invitations leave through %s (%s), although the board announces itself on %s: a "
                 "VPN or another route takes them",
                 outgoing, from, other);
        return OTA_CAUSE_DETOUR;
    }

    if (!is_local_address(board) || is_in_a_network(board, interfaces))
        return OTA_CAUSE_NONE;

    snprintf(target, NETWORKS_DETOUR_MAX,
             "invitations leave through %s (%s), as no interface of this computer is in the "
             "board's network",
             outgoing, from);
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
