/* What a board makes of a datagram. */
#ifndef DEVICE_HANDSHAKE_H
#define DEVICE_HANDSHAKE_H

struct board;
struct datagram;

/* Reads one datagram in state IDLE or WAITING; replies; the state moves on. */
void handshake_read(struct board *board, const struct datagram *datagram);

/* As if an earlier caller had been challenged and then left. */
void handshake_leave_waiting(struct board *board);

#endif
