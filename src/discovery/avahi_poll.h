/*
 * avahi_poll.h: the event loop in the form that libavahi-client expects.
 */
#ifndef ESP_OTA_DISCOVERY_AVAHI_POLL_H
#define ESP_OTA_DISCOVERY_AVAHI_POLL_H

#include "base/loop.h"

#include <avahi-common/watch.h>

struct avahi_poll;

/* NULL when memory runs out. */
struct avahi_poll *avahi_poll_new(struct loop *loop);

/* Every watch and timeout must have been freed before, as avahi_client_free() does. */
void avahi_poll_free(struct avahi_poll *poll);

/* Valid until avahi_poll_free(). */
const AvahiPoll *avahi_poll_api(const struct avahi_poll *poll);

#endif
