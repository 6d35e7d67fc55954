/*
 * source.h: this computer's end of a socket, as -I names it: an address, or a network interface.
 */
#ifndef ESP_OTA_NET_SOURCE_H
#define ESP_OTA_NET_SOURCE_H

#include "base/address.h"
#include "esp-ota/error.h"

#include <net/if.h>

/* An address, an interface, or with neither whatever the routes choose. Each function that opens a
 * socket towards a board takes a source, never NULL, so that none can be opened without a decision:
 * -I holds for what proves an upload as well as for the upload. */
struct source {
    bool has_address;
    struct address address; /* port 0 */
    char interface[IF_NAMESIZE];
};

/* For commands without -I. */
extern const struct source source_any;

bool source_is_any(const struct source *source);

/* Parses a numeric IP address of this computer, or 0.0.0.0 or ::, or the name of an interface of
 * this computer that has an address. A link-local address may lack its interface. Fails with
 * OTA_E_USAGE; the message lists the interfaces. */
enum ota_error source_parse(struct source *source, const char *text, struct ota_failure *failure);

/* Binds a socket to source (any: does nothing). An interface decides the route as well. Before
 * Linux 5.7, only root may do that: for others, the socket is bound to the interface's address in
 * the family of peer (NULL: to none). -1 and errno on failure: EINVAL if source is the loopback
 * interface, which does not lead to peer; EAFNOSUPPORT if peer has another IP version than the
 * address; ENODEV if the interface is gone. */
int source_bind(int fd, const struct source *source, const struct address *peer);

/* Finds this computer's address, without a port, that sockets bound to source and connected to peer
 * have. Sends nothing. Returns 0, or the errno that says why none leads there: EHOSTUNREACH,
 * EACCES and EINVAL by a route of this computer, EACCES for a broadcast address as well. */
int source_toward(struct address *own, const struct source *source, const struct address *peer);

/* Whether the routes say that this is the broadcast address of a network. */
bool source_is_broadcast(const struct address *address);

enum { SOURCE_TEXT_MAX = ADDRESS_TEXT_MAX + 32 };

/* "10.0.0.1", "wlan0", "any address". Escaped; returns target. */
char *source_text(char target[SOURCE_TEXT_MAX], const struct source *source);

#endif
