/*
 * way.h: the network path to a board that does not answer, for all protocols and logs: whether this
 * computer keeps in what goes to it, whether it leaves through the right interface and from the
 * right address, and whether any host has the board's address.
 */
#ifndef ESP_OTA_UPLOAD_WAY_H
#define ESP_OTA_UPLOAD_WAY_H

#include "discovery/namesakes.h"
#include "esp-ota/error.h"
#include "net/source.h"
#include "upload/endpoints.h"

enum { WAY_MAX = 512, WAY_LOCAL_MAX = ADDRESS_TEXT_MAX + 8 + 32 };

struct way {
    const struct endpoints *endpoints;
    const struct source *source;
    const struct claims
        *heard;  /* the interfaces on which its addresses were announced; NULL: none */
    size_t best; /* number of the address that is the board's own, or the best one */
    bool is_silent[ENDPOINTS_ADDRESSES_MAX]; /* those from which nothing came, not even an error */
};

/* Describes the path; "" if nothing is remarkable. Returns the cause of the board's silence. Sends
 * nothing. */
enum ota_cause way_describe(char text[WAY_MAX], const struct way *way);

/* Whether all addresses of the board are this computer's, other than loopback addresses, which
 * simulated boards have. If so, text says it. */
bool way_is_this_computer(char text[WAY_MAX], const struct endpoints *endpoints);

/* "10.0.0.1:45678 on wlan0": local is the address of a socket to the board. Returns text. */
char *way_describe_local(char text[WAY_LOCAL_MAX], const struct address *board,
                         const struct address *local, const struct source *source);

/* Whether the board, reached from the address local, is in another network than this computer
 * (networks_is_elsewhere()). */
bool way_is_elsewhere(const struct address *board, const struct address *local);

#endif
