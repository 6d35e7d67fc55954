/* The loop behind Avahi's interface for loops, so that libavahi-client runs in it. */
#ifndef DEVICE_AVAHI_POLL_H
#define DEVICE_AVAHI_POLL_H

#include "loop.h"

#include <avahi-common/watch.h>

/* Timers that libavahi-client and libdbus run at once, with room to spare. */
enum { AVAHI_TIMERS = 32 };

/* Fills poll in. The loop must outlive what uses it, and have room for AVAHI_TIMERS timers. */
void avahi_poll_set_up(AvahiPoll *poll, struct loop *loop);

#endif
