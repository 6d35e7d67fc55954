/*
 * udp.h: one UDP socket, connected to one board.
 */
#ifndef ESP_OTA_NET_UDP_H
#define ESP_OTA_NET_UDP_H

#include "base/address.h"
#include "base/loop.h"
#include "net/source.h"

#include <stddef.h>

/* A datagram from the board, valid during the call. Only its first 1024 bytes are kept; boards send
 * far less. */
typedef void udp_datagram_fn(const void *data, size_t length, void *userdata);
/* ICMP reported an error for an earlier datagram; reason is the errno. */
typedef void udp_error_fn(int reason, void *userdata);

/* The caller fills in the first four fields, and sets fd to -1. */
struct udp {
    struct loop *loop;
    udp_datagram_fn *on_datagram;
    udp_error_fn *on_error;
    void *userdata;
    int fd; /* -1: closed */
    struct loop_watch watch;
    int trouble;  /* errno if the last datagram could not be sent or received, else 0 */
    bool is_deaf; /* receiving has failed, and pauses until the next udp_send() */
};

/* Connects to board, from source. -1 and errno. */
int udp_open(struct udp *udp, const struct source *source, const struct address *board);
/* Sends one datagram. Returns 0, or the errno if it cannot be sent. If this computer lacks a
 * resource to send it or to receive, the datagram is lost, as it may be in the network: that is no
 * failure yet, but trouble is set to the errno. */
int udp_send(struct udp *udp, const void *data, size_t length);
/* Receives the datagrams that have arrived, as the loop would. If there are many, only some of them
 * are received, and false is returned. */
bool udp_receive(struct udp *udp);
/* The local address, as the board sees it if there is no NAT in between. */
bool udp_local(const struct udp *udp, struct address *local);
/* Allowed at any time, also in a callback and when nothing is open. */
void udp_close(struct udp *udp);

#endif
