/*
 * search_wraps.h: replacements for what a search asks of the network, at link time (--wrap). Each
 * test defines those that it needs for its own world.
 */
#ifndef SEARCH_WRAPS_H
#define SEARCH_WRAPS_H

#include "discovery/mdns_client.h"
#include "discovery/namesakes.h"
#include "discovery/plain_query.h"
#include "net/alive.h"

struct mdns_query *__wrap_mdns_client_ask(struct mdns_client *mdns, enum mdns_kind kind,
                                          unsigned services, const char *name,
                                          mdns_client_answer_fn *on_answer, void *userdata);
void __wrap_mdns_client_cancel(struct mdns_query *query);
void __wrap_plain_query_send(enum service service);
ssize_t __wrap_claims_find_rivals(struct address rivals[CLAIMS_MAX], const struct claims *claims);
struct alive *__wrap_alive_start(struct loop *loop, const struct address *addresses, size_t count,
                                 const struct source *source, alive_done_fn *done, void *userdata);
void __wrap_alive_free(struct alive *alive);

#endif
