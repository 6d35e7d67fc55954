/*
 * work_queue.c: a queue, and a timer that runs one item in each turn of the loop.
 */
#include "base/work_queue.h"

#include "base/loop.h"

#include <stdlib.h>

struct work_queue {
    struct loop *loop;
    struct loop_timer turn;
    struct work_item *first;
};

static void on_queue_turn(void *userdata)
{
    struct work_queue *queue = userdata;
    struct work_item *item = queue->first;
    if (!item)
        return;

    work_queue_remove(queue, item);
    if (queue->first)
        loop_timer_start(&queue->turn, 0);
    item->run(item->userdata);
}

struct work_queue *work_queue_new(struct loop *loop)
{
    struct work_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;

    queue->loop = loop;
    loop_timer_init(&queue->turn, loop, on_queue_turn, queue);
    return queue;
}

void work_queue_free(struct work_queue *queue)
{
    if (!queue)
        return;
    loop_timer_stop(&queue->turn);
    free(queue);
}

void work_queue_add(struct work_queue *queue, struct work_item *item)
{
    if (item->is_queued)
        return;

    struct work_item **link = &queue->first;
    while (*link)
        link = &(*link)->next;
    *link = item;
    item->next = NULL;
    item->is_queued = true;
    loop_timer_start(&queue->turn, 0);
}

void work_queue_remove(struct work_queue *queue, struct work_item *item)
{
    struct work_item **link = &queue->first;
    while (*link && *link != item)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = item->next;
    item->is_queued = false;
}
