/*
 * listener.h: the one TCP listener of the back-channel. It hands each connection to the session
 * that waits for its peer address, and rejects all others before they get a byte.
 */
#ifndef ESP_OTA_NET_LISTENER_H
#define ESP_OTA_NET_LISTENER_H

#include "base/address.h"
#include "base/loop.h"
#include "esp-ota/error.h"
#include "net/source.h"

#include <stdint.h>

struct listener;

/* Called with a connected, non-blocking socket. Returns whether it takes ownership of fd; if not,
 * the connection is closed, and the next one is offered. */
typedef bool listener_accept_fn(int fd, const struct address *peer, void *userdata);

/* Listens at source (any: all addresses, IPv4 and IPv6), on the first free port from port_first to
 * port_last (both 0: any free port). NULL with OTA_E_NO_PORT (the message names the range and the
 * reason) or OTA_E_INTERNAL. */
struct listener *listener_open(struct loop *loop, const struct source *source, uint16_t port_first,
                               uint16_t port_last, struct ota_failure *failure);
void listener_close(struct listener *listener);
uint16_t listener_port(const struct listener *listener);
/* The peer of the last rejected connection that was no board's of this run, as far as the sessions
 * know; NULL: there was none since since_us. */
const struct address *listener_stranger(const struct listener *listener, int64_t since_us);
/* The same of the boards of this run. A board that is done may connect once more, or another one
 * may have its address, too. */
const struct address *listener_board(const struct listener *listener, int64_t since_us);
/* The errno why a connection in the backlog cannot be accepted (EMFILE, ...); 0: none is
 * waiting. */
int listener_trouble(const struct listener *listener);

/* From now on a connection from peer (NULL: from anyone) goes to on_accept. userdata identifies the
 * session, which may expect several peers, as a board may have several addresses. The first
 * connection that it takes ends all its expectations, as does listener_forget(). Expecting a peer
 * again does nothing. -1 and errno: ENOMEM, or EEXIST when another userdata expects the same
 * peer. */
int listener_expect(struct listener *listener, const struct address *peer,
                    listener_accept_fn *on_accept, void *userdata);
/* Whether this peer (NULL: anyone) is already expected. Two sessions with the same peer would be
 * indistinguishable. */
bool listener_is_expecting(const struct listener *listener, const struct address *peer);
/* The board has answered as this peer: ends the other expectations of userdata. */
void listener_keep(struct listener *listener, const struct address *peer, const void *userdata);
void listener_forget(struct listener *listener, const void *userdata);

/* Hands over, or rejects, each connection made before this call, so that later ones can be told
 * from them. Returns 0, or the errno if some cannot be accepted now (EMFILE, ...). Not from
 * on_accept. */
int listener_empty(struct listener *listener);

#endif
