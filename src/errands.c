/*
 * errands.c: a queue, and one timeout that takes one from it at a time.
 */
#include "errands.h"

#include "loop.h"

#include <stdlib.h>

struct errands {
    const AvahiPoll *poll_api;
    AvahiTimeout *turn;
    struct errand *first;
};

static void on_turn(AvahiTimeout *timeout, void *userdata)
{
    (void)timeout;
    struct errands *errands = userdata;
    struct errand *errand = errands->first;
    if (!errand)
        return;
    errands_remove(errands, errand);
    if (errands->first)
        loop_arm(errands->poll_api, &errands->turn, 0, NULL, NULL);
    errand->run(errand->userdata);
}

struct errands *errands_new(const AvahiPoll *poll_api)
{
    struct errands *errands = calloc(1, sizeof *errands);
    if (!errands)
        return NULL;
    errands->poll_api = poll_api;
    if (loop_arm(poll_api, &errands->turn, -1, on_turn, errands) < 0) {
        free(errands);
        return NULL;
    }
    return errands;
}

void errands_free(struct errands *errands)
{
    if (!errands)
        return;
    errands->poll_api->timeout_free(errands->turn);
    free(errands);
}

void errands_add(struct errands *errands, struct errand *errand)
{
    if (errand->is_queued)
        return;
    struct errand **link = &errands->first;
    while (*link)
        link = &(*link)->next;
    *link = errand;
    errand->next = NULL;
    errand->is_queued = true;
    loop_arm(errands->poll_api, &errands->turn, 0, NULL, NULL);
}

void errands_remove(struct errands *errands, struct errand *errand)
{
    struct errand **link = &errands->first;
    while (*link && *link != errand)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = errand->next;
    errand->is_queued = false;
}
