/*
 * networks.h: the way to a board, judged by the networks of this computer. Pure but for
 * networks_is_offline(): interfaces is the list that getifaddrs(3) returned, or NULL.
 */
#ifndef ESP_OTA_DISCOVERY_NETWORKS_H
#define ESP_OTA_DISCOVERY_NETWORKS_H

#include "base/address.h"
#include "esp-ota/error.h"
#include "net/source.h"

#include <ifaddrs.h>
#include <stddef.h>

struct claims; /* namesakes.h */

/* Sorts the addresses of one board into the order to try them: IPv4 in a network of this computer,
 * IPv6 in one (link-local: on its interface), other IPv4, other IPv6. The sort is stable. */
void networks_sort(struct address *addresses, size_t count, const struct ifaddrs *interfaces);

/* Whether two addresses heard under one name must belong to two boards. a_interface and b_interface
 * name the interfaces on which they were heard. An address in the network of its interface is the
 * board's own there, and a board has one of each kind: two of them in one network belong to two
 * boards, and so do two IPv4 addresses on two interfaces. Other pairs may be one board's, such as
 * IPv4 and IPv6, or the addresses of its station and its access point. */
bool networks_show_two_boards(const struct address *a, const char *a_interface,
                              const struct address *b, const char *b_interface,
                              const struct ifaddrs *interfaces);

enum { NETWORKS_DETOUR_MAX = 320 };

/* How packets to a board leave this computer. */
struct networks_way {
    const struct address *board;
    const char *outgoing;        /* the interface through which they leave */
    const struct address *local; /* the address from which, which may be another interface's */
    const struct source *source; /* what -I names */
    const struct claims *heard;  /* the interfaces on which the board was announced; NULL: none */
};

/* Describes the way if it is an unlikely one. OTA_CAUSE_WRONG_SOURCE: what -I names is not in the
 * board's network, but another interface is. OTA_CAUSE_DETOUR: so is the interface that the route
 * has chosen, or the board was announced on another one. OTA_CAUSE_OTHER_NETWORK: the board has a
 * local address, but no interface is in its network; not told if -I names the interface.
 * OTA_CAUSE_NONE otherwise. Sets target to "" or to a part of a sentence such as "packets to the
 * board leave through tun0 (10.8.0.2), ...". */
enum ota_cause networks_describe_detour(char target[NETWORKS_DETOUR_MAX],
                                        const struct networks_way *way,
                                        const struct ifaddrs *interfaces);

/* Returns the name of the interface with this address, which is part of interfaces. NULL: none. */
const char *networks_find_owner(const struct address *local, const struct ifaddrs *interfaces);

/* Whether the board, reached from the address local, is in another network than this computer, as
 * with NAT and containers: both addresses are local ones, but no interface is in the board's
 * network. */
bool networks_is_elsewhere(const struct address *board, const struct address *local,
                           const struct ifaddrs *interfaces);

/* Whether an interface other than the loopback's is up, has a carrier and an address. */
bool networks_exist(const struct ifaddrs *interfaces);

/* Whether this computer is in no network, so that it can hear of no board but simulated ones. False
 * if that is not known. NETWORKS_OFFLINE says it, as a clause. */
bool networks_is_offline(void);
#define NETWORKS_OFFLINE                                                                           \
    "this computer is in no network, as no interface but lo is up and has an address"

#endif
