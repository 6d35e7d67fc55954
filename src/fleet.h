/*
 * fleet.h: from targets to results: resolves each, runs its session, and hands every event on with
 * the board's name. One board is a fleet of one.
 */
#ifndef FLEET_H
#define FLEET_H

#include "image.h"
#include "listener.h"
#include "options.h"

#include <avahi-common/watch.h>

struct fleet;

/* Everything must outlive the fleet. */
struct fleet_config {
    const AvahiPoll *poll_api;
    struct listener *listener;
    const struct options *options;
    const struct image *image;
    ota_event_fn *on_event; /* complete events, RESULT last for each board */
    void *event_userdata;
    void (*on_done)(void *userdata); /* once, from the loop, when every board has its result */
    void *done_userdata;
};

/* Starts; NULL when memory ran out. */
struct fleet *fleet_start(const struct fleet_config *config);

/* SIGINT or SIGTERM: closes every connection at once and emits the results; on_done does not
 * follow. */
void fleet_interrupt(struct fleet *fleet, int signal_number);

/* The exit status that the results so far amount to. */
int fleet_exit_status(const struct fleet *fleet);
void fleet_free(struct fleet *fleet);

#endif
