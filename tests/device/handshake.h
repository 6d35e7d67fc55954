/* The handshake: reads datagrams and answers them. */
#ifndef DEVICE_HANDSHAKE_H
#define DEVICE_HANDSHAKE_H

struct board;
struct datagram;

/* Reads one datagram in state IDLE or WAITING; replies; the state moves on. */
void handshake_read(struct board *board, const struct datagram *datagram);

/* Leaves the board in the state after it has challenged a host that sent no answer. */
void handshake_leave_waiting(struct board *board);

#endif
