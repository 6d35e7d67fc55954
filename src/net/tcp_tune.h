/*
 * tcp_tune.h: how the kernel sends an image over a TCP connection: with a short queue, for a prompt
 * abort and true progress, and with probes, to notice that a board is gone.
 */
#ifndef ESP_OTA_NET_TCP_TUNE_H
#define ESP_OTA_NET_TCP_TUNE_H

#include <stddef.h>
#include <stdint.h>

/* Sets the options; failures do not matter. Connections inherit those of the socket that accepts
 * them. The kernel probes an idle connection every second: a busy board's TCP answers, a restarted
 * board resets the connection, and an absent board does not answer. If a fifth of the packets is
 * lost in each direction, the chance of ten unanswered probes in a row is 1 in 25,000. */
void tcp_tune(int fd);

/* For a server that sends to many at once, after tcp_tune(): the queue is longer, but bounded, and
 * is filled in a few large pieces. Progress is then only what the peer has acknowledged. */
void tcp_send_in_bulk(int fd);

/* A board's window of a few segments paces the connection enough. BBR, the default on some systems,
 * only leaves that window empty for a while. Every Linux has Reno, without privileges. Call it
 * before the connection exists, also for a socket that listens: changed later, it would go on
 * pacing. */
void tcp_send_without_pacing(int fd);

/* Bytes in the kernel's queue: sent or not, without the peer's acknowledgement; and those that have
 * not been sent yet. */
size_t tcp_unacknowledged(int fd);
size_t tcp_unsent(int fd);

/* Bytes that the peer has sent so far, read or not; 0 if the kernel does not say. */
uint64_t tcp_received(int fd);

/* The time since the peer's TCP last acknowledged anything, probes of tcp_tune() included; 0 if the
 * kernel does not say. After TCP_AWAY_US a probe has gone unanswered: the peer was absent, and has
 * not merely closed or reset the connection, or is busy. */
extern const int64_t TCP_AWAY_US;
int64_t tcp_silent_us(int fd);

/* A peer that takes less than TCP_SLOWEST_RATE bytes per second is given up, even if it never
 * pauses: the longest time that size bytes may take. */
enum { TCP_SLOWEST_RATE = 512 };
int64_t tcp_send_limit_us(size_t size);

/* close(2) will discard the queue and reset the connection. Otherwise the kernel goes on sending
 * after an upload was given up, and the board may wake, receive the rest and install the image. */
void tcp_reset_on_close(int fd);

#endif
