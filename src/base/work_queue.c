/*
 * work_queue.c: a queue, and one timeout that takes one from it at a time.
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
    struct work_queue *work_queue = userdata;
    struct work_item *work_item = work_queue->first;
    if (!work_item)
        return;
    work_queue_remove(work_queue, work_item);
    if (work_queue->first)
        loop_timer_start(&work_queue->turn, 0);
    work_item->run(work_item->userdata);
}

struct work_queue *work_queue_new(struct loop *loop)
{
    struct work_queue *work_queue = calloc(1, sizeof *work_queue);
    if (!work_queue)
        return NULL;
    work_queue->loop = loop;
    loop_timer_init(&work_queue->turn, loop, on_queue_turn, work_queue);
    return work_queue;
}

void work_queue_free(struct work_queue *work_queue)
{
    if (!work_queue)
        return;
    loop_timer_stop(&work_queue->turn);
    free(work_queue);
}

void work_queue_add(struct work_queue *work_queue, struct work_item *work_item)
{
    if (work_item->is_queued)
        return;

    struct work_item **link = &work_queue->first;
    while (*link)
        link = &(*link)->next;
    *link = work_item;
    work_item->next = NULL;
    work_item->is_queued = true;
    loop_timer_start(&work_queue->turn, 0);
}

void work_queue_remove(struct work_queue *work_queue, struct work_item *work_item)
{
    struct work_item **link = &work_queue->first;
    while (*link && *link != work_item)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = work_item->next;
    work_item->is_queued = false;
}
