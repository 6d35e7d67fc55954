/*
 * resolver_wraps.h: replacements for the resolver, at link time (--wrap). Each test defines them
 * for its own world.
 */
#ifndef RESOLVER_WRAPS_H
#define RESOLVER_WRAPS_H

#include "discovery/resolve.h"

struct resolver *__wrap_resolver_start(const struct resolver_config *config);
void __wrap_resolver_free(struct resolver *resolver);

#endif
