/*
 * errands.h: work that takes milliseconds, such as the answer to a SHA-256 challenge: one piece in
 * each turn of the loop, so that however much of it comes at once, the boards whose transfers run
 * get their data in between.
 */
#ifndef ERRANDS_H
#define ERRANDS_H

#include <avahi-common/watch.h>
#include <stdbool.h>

struct errands;

/* Owned by whoever wants the work done; all zero before its first use. */
struct errand {
    void (*run)(void *userdata);
    void *userdata;
    struct errand *next; /* of errands.c, like the rest */
    bool is_queued;
};

struct errands *errands_new(const AvahiPoll *poll_api); /* NULL when memory ran out */
void errands_free(struct errands *errands);

/* Has errand->run() called from the loop, later than what was added before; nothing happens when it
 * waits already. It may add errands itself. */
void errands_add(struct errands *errands, struct errand *errand);

/* Forgets it; also when it does not wait. */
void errands_remove(struct errands *errands, struct errand *errand);

#endif
