/*
 * alive.h: finds out which of several addresses answer. Multicast DNS caches addresses for minutes
 * after a board has left or changed its address.
 */
#ifndef ESP_OTA_NET_ALIVE_H
#define ESP_OTA_NET_ALIVE_H

#include "base/address.h"

#include "base/loop.h"
#include <stddef.h>

struct alive;
struct source;

/* Called once, from the loop. is_alive[i] belongs to addresses[i]. shortage is 0, or the errno
 * (error_is_local()) why this computer could not ask some addresses, which may be in use. */
typedef void alive_done_fn(const bool *is_alive, int shortage, void *userdata);

/* Tries to connect from source to a TCP port that is hardly ever open; a refusal counts as an
 * answer. An address without an answer within 1.5 s is not alive. The addresses are copied; count
 * is above 0. NULL when memory ran out. */
struct alive *alive_start(struct loop *loop, const struct address *addresses, size_t count,
                          const struct source *source, alive_done_fn *done, void *userdata);
/* Allowed at any time, also in done, and needed after it. */
void alive_free(struct alive *alive);

#endif
