/*
 * listener.h: the one TCP listener of the back-channel. It hands each connection to the session
 * that waits for its peer address, and turns strangers away before they get a byte.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include "address.h"
#include "esp-ota.h"

#include <avahi-common/watch.h>

struct listener;

/* Whether it takes over the non-blocking, connected descriptor; if not, the connection is closed,
 * and the next one is offered. */
typedef bool listener_accept_fn(int descriptor, const struct address *peer, void *userdata);

/* Listens on bind_address (NULL: all addresses, IPv4 and IPv6), on the first free port from
 * port_first to port_last (both 0: any free port). NULL with OTA_E_NO_PORT (the message names the
 * range and the reason) or OTA_E_INTERNAL. */
struct listener *listener_open(const AvahiPoll *poll_api, const struct address *bind_address,
                               uint16_t port_first, uint16_t port_last,
                               struct ota_failure *failure);
void listener_close(struct listener *listener);
uint16_t listener_port(const struct listener *listener);
/* Why a connection that waits in the queue cannot be accepted (EMFILE, ...); 0: none waits. */
int listener_trouble(const struct listener *listener);

/* From now on a connection from peer (NULL: from anyone) goes to on_accept. userdata identifies who
 * waits, and may wait for several peers: a board may have several addresses. The first connection
 * from any of them that it takes ends all its expectations, as does listener_forget(). Expecting a
 * peer again does nothing. -1 and errno: ENOMEM, or EEXIST when another userdata waits for the same
 * peer. */
int listener_expect(struct listener *listener, const struct address *peer,
                    listener_accept_fn *on_accept, void *userdata);
/* Whether somebody waits for this peer (NULL: for anyone) already. Of two sessions that do, nobody
 * could tell whose connection it is. */
bool listener_is_expecting(const struct listener *listener, const struct address *peer);
/* Ends what userdata expects of all others than peer. */
void listener_keep(struct listener *listener, const struct address *peer, const void *userdata);
void listener_forget(struct listener *listener, const void *userdata);

#endif
