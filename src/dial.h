/*
 * dial.h: one attempt to connect to an address over TCP, with a deadline.
 */
#ifndef DIAL_H
#define DIAL_H

#include "address.h"

#include <avahi-common/watch.h>

struct dial;

/* How it ended, once, from the loop: descriptor is connected, non-blocking and the callee's; or -1,
 * and reason is an errno, ETIMEDOUT when the deadline passed. The dial may be freed meanwhile. */
typedef void dial_done_fn(int descriptor, int reason, void *userdata);

/* Starts; the attempt is given up after deadline_us. NULL when memory ran out. */
struct dial *dial_start(const AvahiPoll *poll_api, const struct address *address,
                        int64_t deadline_us, dial_done_fn *on_done, void *userdata);
/* Allowed at any time, and needed also after on_done. */
void dial_free(struct dial *dial);

#endif
