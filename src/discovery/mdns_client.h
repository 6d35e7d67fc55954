/*
 * mdns_client.h: questions to multicast DNS from the main loop. They are asked by one child process, which
 * holds the one connection to D-Bus (see mdns_worker.h): whatever hangs there, nothing waits here.
 */
#ifndef ESP_OTA_DISCOVERY_MDNS_CLIENT_H
#define ESP_OTA_DISCOVERY_MDNS_CLIENT_H

#include "base/loop.h"
#include "discovery/mdns_worker.h"

struct mdns_client;
struct mdns_query;

/* Called from the loop for every answer; after MDNS_END or MDNS_UNAVAILABLE the query is
 * gone. answer is valid during the call. */
typedef void mdns_client_answer_fn(const struct mdns_answer *answer, void *userdata);

/* Costs nothing until the first question: only that starts the child. NULL when memory ran out. */
struct mdns_client *mdns_client_new(struct loop *loop);
/* Kills the child and drops the queries that are left. Allowed at any time, also in a callback. */
void mdns_client_free(struct mdns_client *mdns);

/* Whether an answer may come soon: there is a D-Bus system bus, and the last question was not in
 * vain a moment ago. Costs next to nothing. For questions whose answers are welcome, no more. */
bool mdns_client_may_answer(const struct mdns_client *mdns);

/* Asks; Avahi itself gives up on a name after about five seconds, and MDNS_UNAVAILABLE comes
 * after two when nobody answers on D-Bus. name is copied. NULL when memory ran out. */
struct mdns_query *mdns_client_ask(struct mdns_client *mdns, enum mdns_kind kind, const char *name,
                                   mdns_client_answer_fn *on_answer, void *userdata);
void mdns_client_cancel(struct mdns_query *query);

#endif
