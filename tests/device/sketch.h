/* The sketch of a simulated board: runs the steps of its script. */
#ifndef DEVICE_SKETCH_H
#define DEVICE_SKETCH_H

struct board;

/* The board has booted: runs the script from the first step. */
void sketch_start(struct board *board);

/* Runs further steps, after a client has connected or the clients have room again. The owner is a
 * struct board. */
void sketch_go_on(void *owner);

/* The first client has connected: a log that has ended begins again. */
void sketch_greet(struct board *board);

/* The board has left the network. */
void sketch_stop(struct board *board);

#endif
