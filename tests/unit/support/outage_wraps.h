/*
 * outage_wraps.h: replacements for what is known of this computer's outages, at link time (--wrap).
 * Each test defines those that it needs for its own world.
 */
#ifndef OUTAGE_WRAPS_H
#define OUTAGE_WRAPS_H

#include "net/outage.h"

void __wrap_outage_start(struct outage *outage, struct loop *loop, const struct address *address,
                         const struct source *source);
unsigned __wrap_outage_after(struct outage *outage, int64_t time_us);
void __wrap_outage_stop(struct outage *outage);

#endif
