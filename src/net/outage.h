/*
 * outage.h: notes when this computer could not hear a board: its own link to the board was down, or
 * this program was stopped. The board's silence at such a time is not known to be the board's.
 */
#ifndef ESP_OTA_NET_OUTAGE_H
#define ESP_OTA_NET_OUTAGE_H

#include "base/address.h"
#include "base/loop.h"
#include "net/routing.h"
#include "net/source.h"

#include <stdbool.h>
#include <stdint.h>

/* The fields belong to outage.c. All zero: stopped. */
struct outage {
    struct loop_timer tick;
    struct address address;
    const struct source *source;
    struct routing_link link;
    int64_t looked_us;  /* the time of the last look, suspension included */
    int64_t link_us;    /* monotonic: when the link was last seen to have failed */
    int64_t stopped_us; /* monotonic: when the program was last seen to have been stopped */
};

/* Watches the link to address from source (must outlive the outage), and the time. */
void outage_start(struct outage *outage, struct loop *loop, const struct address *address,
                  const struct source *source);
/* Allowed at any time, also when it was never started. */
void outage_stop(struct outage *outage);

enum {
    OUTAGE_LINK = 1, /* no carrier, or another interface: what the board sent may be lost */
    OUTAGE_STOP = 2, /* stopped for a second or more, by a signal or as the computer slept */
};

/* What there was after this time (monotonic), as a sum of the above; 0: nothing. It may also have
 * been a moment earlier. */
unsigned outage_after(struct outage *outage, int64_t time_us);

#endif
