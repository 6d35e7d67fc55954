/* The sketch of a simulated board: runs the steps of its script. */
#ifndef DEVICE_SKETCH_H
#define DEVICE_SKETCH_H

struct board;

/* The board has booted: from the first step. */
void sketch_start(struct board *board);

/* There may be something to do: somebody listens, or there is room again. The owner is
 * a struct board. */
void sketch_go_on(void *owner);

/* Somebody listens now, after nobody did: a log that has ended begins again. */
void sketch_greet(struct board *board);

/* The board has left the air. */
void sketch_stop(struct board *board);

#endif
