/*
 * way.h: what is known of the way to a board that does not answer: whether invitations leave
 * through the right interface, and whether anybody has the board's address.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_WAY_H
#define ESP_OTA_UPLOAD_ESPOTA_WAY_H

#include "discovery/namesakes.h"
#include "esp-ota.h"
#include "upload/espota/candidates.h"

enum { WAY_MAX = 512, WAY_LOCAL_MAX = ADDRESS_TEXT_MAX + 8 + 32 };

/* Describes the way to the candidates that were tried, or to the board's own one if it is known;
 * "" where there is nothing to say. heard: the interfaces on which its addresses were announced;
 * NULL: none. Returns the cause that this is of the board's silence. */
enum ota_cause way_describe(char text[WAY_MAX], const struct candidates *candidates,
                            const struct claims *heard);

/* "10.0.0.1:45678 on wlan0": this computer's end of the socket to the current candidate; "" where
 * it has none. Returns text. */
char *way_describe_local(char text[WAY_LOCAL_MAX], const struct candidates *candidates);

/* Whether the current candidate, to which datagrams leave from the address local, is in another
 * network than this computer (networks_is_elsewhere()). */
bool way_is_elsewhere(const struct candidates *candidates, const struct address *local);

#endif
