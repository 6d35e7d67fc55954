/*
 * mdns.h: questions to multicast DNS from the main loop. They are asked by one child process, which
 * holds the one connection to D-Bus (see discover.h): whatever hangs there, nothing waits here.
 */
#ifndef MDNS_H
#define MDNS_H

#include "discover.h"

struct mdns;
struct mdns_query;

/* Called from the loop for every answer; after DISCOVER_END or DISCOVER_UNAVAILABLE the query is
 * gone. answer is valid during the call. */
typedef void mdns_answer_fn(const struct discover_answer *answer, void *userdata);

/* Costs nothing until the first question: only that starts the child. NULL when memory ran out. */
struct mdns *mdns_new(const AvahiPoll *poll_api);
/* Kills the child and drops the queries that are left. Allowed at any time, also in a callback. */
void mdns_free(struct mdns *mdns);

/* Whether an answer may come soon: there is a D-Bus system bus, and the last question was not in
 * vain a moment ago. Costs next to nothing. For questions whose answers are welcome, no more. */
bool mdns_may_answer(const struct mdns *mdns);

/* Asks; Avahi itself gives up on a name after about five seconds, and DISCOVER_UNAVAILABLE comes
 * after two when nobody answers on D-Bus. name is copied. NULL when memory ran out. */
struct mdns_query *mdns_ask(struct mdns *mdns, enum discover_kind kind, const char *name,
                            mdns_answer_fn *on_answer, void *userdata);
void mdns_cancel(struct mdns_query *query);

#endif
