/*
 * way.h: describes the network path to a board that does not answer: whether invitations leave
 * through the right interface, and whether any host has the board's address.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_WAY_H
#define ESP_OTA_UPLOAD_ESPOTA_WAY_H

#include "discovery/namesakes.h"
#include "esp-ota/error.h"
#include "upload/espota/candidates.h"

enum { WAY_MAX = 512, WAY_LOCAL_MAX = ADDRESS_TEXT_MAX + 8 + 32 };

/* Describes the path to the candidates that were tried, or to the board's own one if it is known;
 * "" if nothing is remarkable. heard: the interfaces on which its addresses were announced; NULL:
 * none. Returns the cause of the board's silence. */
enum ota_cause way_describe(char text[WAY_MAX], const struct candidates *candidates,
                            const struct claims *heard);

/* Whether all addresses of the board are this computer's, other than loopback addresses, which
 * simulated boards have. If so, text says it. */
bool way_is_this_computer(char text[WAY_MAX], const struct candidates *candidates);

/* "10.0.0.1:45678 on wlan0": the local address and interface of the socket to the current
 * candidate; "" if it has no socket. Returns text. */
char *way_describe_local(char text[WAY_LOCAL_MAX], const struct candidates *candidates);

/* Whether the current candidate is in another network than this computer (networks_is_elsewhere()).
 * local is the source address of the datagrams to it. */
bool way_is_elsewhere(const struct candidates *candidates, const struct address *local);

#endif
