/* Simulates the effect of a restart on a TCP connection: the board is gone without telling its
 * peer.
 *
 * While the board is away nothing answers, not even TCP itself; nothing is repeated. When the board
 * is back it knows nothing of the connection: whatever arrives draws a reset, a keep-alive probe as
 * well. Without CAP_NET_ADMIN the kernel cannot be made to forget a connection; then what was
 * unacknowledged is repeated meanwhile, and the reset comes unasked. */
#ifndef DEVICE_SILENCE_H
#define DEVICE_SILENCE_H

struct address;

/* The board goes away. Takes over the connected (or half-closed) fd, and returns the descriptor to
 * end the silence with. */
int silence_begin(int fd);

/* The board is back. Closes the descriptor. */
void silence_end(int fd);

/* Makes a TCP port of a board that is away give no answer, not even a refusal. Returns the
 * descriptor to close when the board is back, or -1 if the port is taken. */
int silence_port(const struct address *address);

#endif
