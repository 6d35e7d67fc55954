/*
 * mdns_client.h: questions to multicast DNS from the main loop. One child process (mdns_worker.h)
 * asks them on one connection to D-Bus, so the main loop never waits for the bus.
 */
#ifndef ESP_OTA_DISCOVERY_MDNS_CLIENT_H
#define ESP_OTA_DISCOVERY_MDNS_CLIENT_H

#include "base/loop.h"
#include "discovery/mdns_worker.h"

struct mdns_client;
struct mdns_query;

/* Called from the loop for every answer. answer is valid during the call. The query has been freed
 * when MDNS_END or MDNS_UNAVAILABLE comes. */
typedef void mdns_client_answer_fn(const struct mdns_answer *answer, void *userdata);

/* Starts the child only with the first question. NULL when memory runs out. */
struct mdns_client *mdns_client_new(struct loop *loop);

/* Kills the child and drops the remaining queries. Allowed at any time, also in a callback. */
void mdns_client_free(struct mdns_client *mdns);

/* Whether to ask an optional question: there is a D-Bus system bus, and no question failed in the
 * last ten seconds. Cheap. */
bool mdns_client_may_answer(const struct mdns_client *mdns);

/* Whether avahi-daemon has answered on D-Bus since the child was last started. */
bool mdns_client_has_answered(const struct mdns_client *mdns);

/* Asks. Avahi gives up on a name after about five seconds. If D-Bus does not answer,
 * MDNS_UNAVAILABLE comes after five seconds, too. services is the set for all but MDNS_HOST. name
 * is copied. NULL when memory runs out. */
struct mdns_query *mdns_client_ask(struct mdns_client *mdns, enum mdns_kind kind, unsigned services,
                                   const char *name, mdns_client_answer_fn *on_answer,
                                   void *userdata);

/* Frees the query without calling on_answer. */
void mdns_client_cancel(struct mdns_query *query);

#endif
