/*
 * routing.h: what the kernel knows of an address in a network of this computer: through which
 * interface datagrams to it leave, and whether anybody there has it. Asks by rtnetlink(7).
 */
#ifndef ESP_OTA_NET_ROUTING_H
#define ESP_OTA_NET_ROUTING_H

#include "base/address.h"
#include "net/source.h"

#include <net/if.h>

enum neighbour {
    NEIGHBOUR_UNKNOWN, /* it is behind a router, or the kernel does not say */
    NEIGHBOUR_NOBODY,  /* nobody answers ARP, or neighbour discovery, for the address */
    NEIGHBOUR_THERE,   /* somebody did, at most ROUTING_SEEN_MAX_S ago */
};

enum { ROUTING_SEEN_MAX_S = 60 };

struct routing {
    char interface[IF_NAMESIZE]; /* "": unknown */
    enum neighbour neighbour;
    unsigned seen_s; /* NEIGHBOUR_THERE: how many seconds ago */
};

/* Asks about address, for a socket that is bound to source (NULL: any). Never fails: what the
 * kernel does not say within a fifth of a second is unknown. */
void routing_find(struct routing *routing, const struct address *address,
                  const struct source *source);

/* A route, as RTM_NEWROUTE says. */
struct routing_route {
    unsigned interface; /* its index */
    bool is_direct;     /* no router is in between */
};

/* Pure: each reads the answer to one question, and returns false if it is none. The second sets
 * neighbour and seen_s. */
bool routing_read_route(struct routing_route *route, const void *answer, size_t length);
bool routing_read_neighbour(struct routing *routing, const void *answer, size_t length);

#endif
