/*
 * udp.h: one UDP socket, connected to one board. It knows nothing of what is said on it.
 */
#ifndef ESP_OTA_NET_UDP_H
#define ESP_OTA_NET_UDP_H

#include "base/address.h"
#include "net/source.h"

#include "base/loop.h"
#include <stddef.h>

/* A datagram from the board, valid during the call; it is cut to what a board has to say. */
typedef void udp_datagram_fn(const void *data, size_t length, void *userdata);
/* ICMP said something about a datagram sent earlier; reason is an errno. */
typedef void udp_error_fn(int reason, void *userdata);

/* The caller fills in the first four, and sets descriptor to -1. */
struct udp {
    struct loop *loop;
    udp_datagram_fn *on_datagram;
    udp_error_fn *on_error;
    void *userdata;
    int fd; /* -1: closed */
    struct loop_watch watch;
    int trouble; /* errno why this computer could not send or receive the last datagram; 0: it could
                  */
    bool is_deaf; /* it could not receive: nothing is heard before the next udp_send() */
};

/* Connects to board, from source (NULL: any). -1 and errno. */
int udp_open(struct udp *udp, const struct source *source, const struct address *board);
/* Sends one datagram. Returns 0, or the errno why it cannot leave. Where this computer lacks a
 * resource, to send it or to receive what came, the datagram is lost, as it may be in the network:
 * that is nobody's error yet, and trouble says why. */
int udp_send(struct udp *udp, const void *data, size_t length);
/* Takes what has arrived, as the loop would; a part of it when there is much. */
void udp_receive(struct udp *udp);
/* The local address that the board sees, without translation on the way. */
bool udp_local(const struct udp *udp, struct address *local);
/* Allowed at any time, also in a callback and when nothing is open. */
void udp_close(struct udp *udp);

#endif
