/*
 * browse.h: looks for all boards that announce themselves in this network. Prints nothing.
 */
#ifndef BROWSE_H
#define BROWSE_H

#include "boards.h"
#include "esp-ota.h"
#include "mdns.h"

struct browse;

/* Called once, from the loop. boards belongs to the browse. failure is NULL when Avahi has told all
 * that it knows for now; else it says why that is not so, or why there are no boards:
 * OTA_E_NOT_FOUND, OTA_E_INTERNAL. Boards that were seen until then are there in any case. */
typedef void browse_done_fn(const struct boards *boards, const struct ota_failure *failure,
                            void *userdata);

/* Starts; after timeout_us the boards that have come are all. NULL when memory ran out. */
struct browse *browse_start(const AvahiPoll *poll_api, struct mdns *mdns, int64_t timeout_us,
                            browse_done_fn *done, void *userdata);

/* How many boards have been heard of so far. */
size_t browse_count(const struct browse *browse);

/* Ends it at any time, also in done, without calling that. */
void browse_free(struct browse *browse);

#endif
