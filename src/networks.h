/*
 * networks.h: what the networks that this computer is in say of the way to a board. Pure:
 * getifaddrs(3) gives the list of interfaces, NULL where there is none to be had.
 */
#ifndef NETWORKS_H
#define NETWORKS_H

#include "address.h"

#include <ifaddrs.h>
#include <stddef.h>

/* Puts the addresses of one board into the order to try them: IPv4 in a network of this computer,
 * IPv6 in one (link-local: on its interface), other IPv4, other IPv6. Keeps the order of those that
 * are alike. */
void networks_sort(struct address *addresses, size_t count, const struct ifaddrs *interfaces);

enum { NETWORKS_DETOUR_MAX = 320 };

/* Says through which interface invitations to the board leave, if that is worth a remark: another
 * interface is in the board's network, or none is, although the address belongs to a local network.
 * local: the source address that the kernel has chosen. Returns target: "", or a part of a sentence
 * such as "invitations leave through tun0 (10.8.0.2), ...". */
char *networks_describe_detour(char target[NETWORKS_DETOUR_MAX], const struct address *board,
                               const struct address *local, const struct ifaddrs *interfaces);

#endif
