/*
 * routing.h: asks the kernel about an address, by rtnetlink(7): the interface that leads to it, the
 * link of that interface, and the presence of a host with this address on its network.
 */
#ifndef ESP_OTA_NET_ROUTING_H
#define ESP_OTA_NET_ROUTING_H

#include "base/address.h"
#include "net/source.h"

#include <net/if.h>

enum neighbor {
    NEIGHBOR_UNKNOWN,   /* behind a router, or not known to the kernel */
    NEIGHBOR_NOBODY,    /* no host answers ARP or neighbor discovery for the address */
    NEIGHBOR_THERE,     /* a host answered, at most ROUTING_THERE_MAX_S ago */
    NEIGHBOR_WAS_THERE, /* the same, longer ago: it may have gone */
};

enum { ROUTING_THERE_MAX_S = 10, ROUTING_WAS_THERE_MAX_S = 60 };

struct routing {
    char interface[IF_NAMESIZE]; /* "": unknown */
    enum neighbor neighbor;
    unsigned seen_s; /* with these two: seconds since the answer */
};

enum { ROUTING_TEXT_MAX = ADDRESS_TEXT_MAX + IF_NAMESIZE + 64 };

/* Writes what is known of address as a neighbor, as a clause ("nobody on wlan0 answers ARP for
 * 10.0.0.7"); "" if nothing is known. Returns text. */
const char *routing_describe(char text[ROUTING_TEXT_MAX], const struct address *address,
                             const struct routing *routing);

/* Asks about address, for a socket bound to source. Never fails, and never waits:
 * without an answer the values are unknown. */
void routing_find(struct routing *routing, const struct address *address,
                  const struct source *source);

/* The link of the interface that leads to an address: a cable, or Wi-Fi with its access point. */
struct routing_link {
    unsigned interface; /* its index; 0: unknown, as for this computer's own addresses */
    bool is_down;       /* no carrier, or the interface is not ready to send (Wi-Fi that roams) */
    uint32_t changes;   /* how often its carrier has come or gone */
};

/* Asks about the link to address. Never fails, and never waits, like routing_find(). */
void routing_find_link(struct routing_link *link, const struct address *address,
                       const struct source *source);

/* Whether the link to a board is down now, or was since before was read: the board's silence in
 * this time is not known to be its own. False if before is unknown and the link is not down now. */
bool routing_link_has_failed(const struct routing_link *before, const struct routing_link *now);

/* A route, as read from RTM_NEWROUTE. */
struct routing_route {
    unsigned interface; /* index of the interface */
    bool is_direct;     /* there is no router in between */
};

/* Read the answer to one question; false if it is something else. routing_read_neighbor() sets
 * only neighbor and seen_s, and routing_read_link() reads RTM_NEWLINK. Pure. */
bool routing_read_route(struct routing_route *route, const void *answer, size_t length);
bool routing_read_neighbor(struct routing *routing, const void *answer, size_t length);
bool routing_read_link(struct routing_link *link, const void *answer, size_t length);

#endif
