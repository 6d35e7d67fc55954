/*
 * networks.h: what the networks that this computer is in say of the way to a board. Pure:
 * getifaddrs(3) gives the list of interfaces, NULL where there is none to be had.
 */
#ifndef ESP_OTA_DISCOVERY_NETWORKS_H
#define ESP_OTA_DISCOVERY_NETWORKS_H

#include "base/address.h"
#include "esp-ota.h"

#include <ifaddrs.h>
#include <stddef.h>

struct claims; /* namesakes.h */

/* Puts the addresses of one board into the order to try them: IPv4 in a network of this computer,
 * IPv6 in one (link-local: on its interface), other IPv4, other IPv6. Keeps the order of those that
 * are alike. */
void networks_sort(struct address *addresses, size_t count, const struct ifaddrs *interfaces);

/* Whether two addresses that were heard under one name must be those of two boards. a_interface and
 * b_interface name the interfaces on which they were heard. An address in the network of its
 * interface is the board's own there, and a board has one of each kind: two of them in one network
 * are two boards', and so are two IPv4 addresses on two interfaces. Others may be one board's: IPv4
 * beside IPv6, and that of its access point or of another station beside the one that it is
 * reached by. */
bool networks_show_two_boards(const struct address *a, const char *a_interface,
                              const struct address *b, const char *b_interface,
                              const struct ifaddrs *interfaces);

enum { NETWORKS_DETOUR_MAX = 320 };

/* Says through which interface invitations to the board leave, if that is worth a remark: another
 * interface is in the board's network, or the board was announced on another one (heard; NULL: it
 * was not); or none is in its network, although the address belongs to a local one. local: the
 * source address that the kernel has chosen. Sets target to "" or to a part of a sentence such as
 * "invitations leave through tun0 (10.8.0.2), ...". Returns OTA_CAUSE_DETOUR,
 * OTA_CAUSE_OTHER_NETWORK or OTA_CAUSE_NONE. */
enum ota_cause networks_describe_detour(char target[NETWORKS_DETOUR_MAX],
                                        const struct address *board, const struct address *local,
                                        const struct claims *heard,
                                        const struct ifaddrs *interfaces);

/* The name of the interface that has this address; NULL: none has. It is part of interfaces. */
const char *networks_find_owner(const struct address *local, const struct ifaddrs *interfaces);

/* Whether the board, reached from the address local, is in another network than this computer: both
 * belong to local networks, as NAT and containers have them, and no interface is in the board's. */
bool networks_is_elsewhere(const struct address *board, const struct address *local,
                           const struct ifaddrs *interfaces);

#endif
