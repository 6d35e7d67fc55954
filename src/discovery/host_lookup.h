/*
 * host_lookup.h: host names through the C library (getaddrinfo, hence /etc/hosts, DNS, nss-mdns). It
 * runs in a child process, since getaddrinfo() blocks and cannot be given a deadline.
 */
#ifndef ESP_OTA_DISCOVERY_HOST_LOOKUP_H
#define ESP_OTA_DISCOVERY_HOST_LOOKUP_H

#include "base/address.h"

#include "base/loop.h"
#include <stdbool.h>
#include <stddef.h>

struct host_lookup;

/* count addresses (count 0: the name does not resolve; why is a sentence part such as "Name or
 * service not known", never NULL; is_local: as this computer has run out of memory or the like).
 * Called once, from the loop. */
typedef void host_lookup_done_fn(const struct address *addresses, size_t count, const char *why,
                                 bool is_local, void *userdata);

/* Starts to look name up. NULL (errno set) when no process can be started. The caller has the
 * deadline: host_lookup_free() may be called at any time, also from done, and kills the child. */
struct host_lookup *host_lookup_start(struct loop *loop, const char *name,
                                      host_lookup_done_fn *done, void *userdata);
void host_lookup_free(struct host_lookup *lookup);

#endif
