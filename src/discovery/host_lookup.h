/*
 * host_lookup.h: host names through the C library's getaddrinfo(), hence /etc/hosts, DNS, nss-mdns.
 * It runs in a child process, since getaddrinfo() blocks and cannot be given a deadline.
 */
#ifndef ESP_OTA_DISCOVERY_HOST_LOOKUP_H
#define ESP_OTA_DISCOVERY_HOST_LOOKUP_H

#include "base/address.h"
#include "base/loop.h"
#include "esp-ota/error.h"

#include <stdbool.h>
#include <stddef.h>

struct host_lookup;

/* Called once, from the loop, with count addresses. 0: the name does not resolve, and why is a part
 * of a sentence such as "Name or service not known", never NULL nor empty. is_local: because this
 * computer ran out of memory or the like; lack says of what, if that is known. */
typedef void host_lookup_done_fn(const struct address *addresses, size_t count, const char *why,
                                 bool is_local, enum ota_cause lack, void *userdata);

/* Starts to look name up. NULL and errno when no process can be started or watched. There is no
 * deadline: the caller sets one. */
struct host_lookup *host_lookup_start(struct loop *loop, const char *name,
                                      host_lookup_done_fn *done, void *userdata);

/* Kills the child. Allowed at any time, also in done. */
void host_lookup_free(struct host_lookup *lookup);

#endif
