/*
 * resolver_wraps.h: replacements for the resolver, at link time (--wrap). Each test defines them
 * for its own world.
 */
#ifndef RESOLVER_WRAPS_H
#define RESOLVER_WRAPS_H

#include "discovery/resolve.h"

struct resolver *__wrap_resolver_start(struct loop *loop, struct mdns_client *mdns,
                                       const struct target *target, unsigned services,
                                       enum announcement_use use, int64_t timeout_us,
                                       const struct source *source, resolver_done_fn *done,
                                       void *userdata);
void __wrap_resolver_free(struct resolver *resolver);

#endif
