/*
 * alive.h: which of some addresses belong to a host that is there. The names of boards that are
 * gone, or have got another address, stay in the caches of multicast DNS for minutes.
 */
#ifndef ALIVE_H
#define ALIVE_H

#include "address.h"

#include <avahi-common/watch.h>
#include <stddef.h>

struct alive;

/* Called once, from the loop: is_alive[i] tells of addresses[i]. */
typedef void alive_done_fn(const bool *is_alive, void *userdata);

/* Tries to connect to a TCP port that is hardly ever open: also a refusal shows that a host is
 * there. Whoever has not answered within 1.5 s is not. The addresses are copied; count is above
 * 0. NULL when memory ran out. */
struct alive *alive_start(const AvahiPoll *poll_api, const struct address *addresses, size_t count,
                          alive_done_fn *done, void *userdata);
/* Allowed at any time, also in done, and needed after it. */
void alive_free(struct alive *alive);

#endif
