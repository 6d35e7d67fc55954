/*
 * work_queue.c: a queue, and one timeout that takes one from it at a time.
 */
#include "base/work_queue.h"

#include "base/loop.h"

#include <stdlib.h>

struct work_queue {
    const AvahiPoll *poll_api;
    AvahiTimeout *turn;
    struct work_item *first;
};

static void on_turn(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    struct work_queue *work_queue = userdata;
    struct work_item *work_item = work_queue->first;
    if (!work_item)
        return;
    work_queue_remove(work_queue, work_item);
    if (work_queue->first)
        loop_arm(work_queue->poll_api, &work_queue->turn, 0, NULL, NULL);
    work_item->run(work_item->userdata);
}

struct work_queue *work_queue_new(const AvahiPoll *poll_api)
{
    struct work_queue *work_queue = calloc(1, sizeof *work_queue);
    if (!work_queue)
        return NULL;
    work_queue->poll_api = poll_api;
    if (loop_arm(poll_api, &work_queue->turn, -1, on_turn, work_queue) < 0) {
        free(work_queue);
        return NULL;
    }
    return work_queue;
}

void work_queue_free(struct work_queue *work_queue)
{
    if (!work_queue)
        return;
    work_queue->poll_api->timeout_free(work_queue->turn);
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
    loop_arm(work_queue->poll_api, &work_queue->turn, 0, NULL, NULL);
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
