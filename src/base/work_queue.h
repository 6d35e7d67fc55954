/*
 * work_queue.h: work that takes milliseconds, such as the answer to a SHA-256 challenge: one piece in
 * each turn of the loop, so that however much of it comes at once, the boards whose transfers run
 * get their data in between.
 */
#ifndef ESP_OTA_BASE_WORK_QUEUE_H
#define ESP_OTA_BASE_WORK_QUEUE_H

#include "base/loop.h"
#include <stdbool.h>

struct work_queue;

/* Owned by whoever wants the work done; all zero before its first use. */
struct work_item {
    void (*run)(void *userdata);
    void *userdata;
    struct work_item *next; /* of work_queue.c, like the rest */
    bool is_queued;
};

struct work_queue *work_queue_new(struct loop *loop); /* NULL when memory ran out */
void work_queue_free(struct work_queue *queue);

/* Has item->run() called from the loop, later than what was added before; nothing happens when it
 * waits already. It may add work_queue itself. */
void work_queue_add(struct work_queue *queue, struct work_item *item);

/* Forgets it; also when it does not wait. */
void work_queue_remove(struct work_queue *queue, struct work_item *item);

#endif
