/*
 * work_queue.h: runs pieces of work that take milliseconds, such as answering a SHA-256 challenge,
 * one in each turn of the loop. Running transfers get their turns in between, however long the
 * queue is.
 */
#ifndef ESP_OTA_BASE_WORK_QUEUE_H
#define ESP_OTA_BASE_WORK_QUEUE_H

#include "base/loop.h"
#include <stdbool.h>

struct work_queue;

/* A piece of work, owned by the caller; all zero before its first use. */
struct work_item {
    void (*run)(void *userdata);
    void *userdata;
    struct work_item *next; /* private to work_queue.c */
    bool is_queued;         /* private to work_queue.c */
};

struct work_queue *work_queue_new(struct loop *loop); /* NULL when memory ran out */
void work_queue_free(struct work_queue *queue);

/* Queues item: the loop calls item->run() after all items queued earlier. Does nothing if item is
 * in the queue already. run() may queue items, too. */
void work_queue_add(struct work_queue *queue, struct work_item *item);

/* Removes item from the queue, if it is there. */
void work_queue_remove(struct work_queue *queue, struct work_item *item);

#endif
