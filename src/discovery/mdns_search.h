/*
 * mdns_search.h: the searches of a question in mdns_worker.c. Each is one Avahi object: a resolver
 * gives one address of a service, a record browser gives all addresses of a host.
 */
#ifndef ESP_OTA_DISCOVERY_MDNS_SEARCH_H
#define ESP_OTA_DISCOVERY_MDNS_SEARCH_H

#include "base/loop.h"
#include "discovery/avahi_connection.h"
#include "discovery/avahi_library.h"
#include "discovery/mdns_worker.h"

#include <stdint.h>

struct query;
struct search;

/* What all searches on one connection share. */
struct search_pool {
    struct loop *loop;
    struct avahi_connection *connection;
    const struct avahi_library *avahi;
    size_t services_running;
    size_t records_running;
    /* Reports one answer. */
    void (*on_found)(struct search *search, const struct mdns_answer *answer);
    /* Reports a host of a service. answer has all that is known about this service. */
    void (*on_host)(struct search *search, const struct mdns_answer *answer);
    /* An Avahi callback is over. This is the last call for a search in state SEARCH_ENDED. */
    void (*on_change)(struct search *search);
};

struct search {
    struct search_pool *pool;
    struct query *query; /* the caller's */
    struct search *next; /* the caller's */
    enum { SEARCH_WAITING, SEARCH_RUNNING, SEARCH_ENDED } state;
    char name[MDNS_NAME_MAX]; /* of the service instance or the host */

    AvahiServiceResolver *resolver;
    enum service service;            /* of the instance */
    AvahiProtocol family;            /* of a service; AVAHI_PROTO_UNSPEC: either */
    struct mdns_answer *second_best; /* an IPv6 address, used if no IPv4 address comes */
    bool has_answered;               /* the instance, whether or not it is a board */

    AvahiRecordBrowser *records;
    uint16_t record;           /* the type of the records; 0: this is a resolver */
    struct mdns_answer *facts; /* about the service on this host; NULL: none */
    bool has_found;            /* at least one record had an address */
    int64_t duration_us;       /* how long to browse records */
    struct loop_timer timeout; /* ends the search */
};

#define MDNS_DOMAIN "local"

/* DNS (RFC 1035, RFC 2782, RFC 3596). */
enum { RECORD_A = 1, RECORD_AAAA = 28, RECORD_SRV = 33 };

/* Creates a resolver for the instance name of this service. NULL when memory runs out. */
struct search *search_new_service(struct search_pool *pool, struct query *query,
                                  enum service service, const char *name, AvahiProtocol family);

/* Creates a browser of the records of a host, for duration_us. With facts, the host is that of this
 * service, and every answer contains these facts; RECORD_SRV then finds other hosts with a service
 * of this name. Without facts, the host is name. NULL when memory runs out. */
struct search *search_new_records(struct search_pool *pool, struct query *query, const char *name,
                                  uint16_t record, const struct mdns_answer *facts,
                                  int64_t duration_us);

/* Whether one more search of this kind may run. */
bool search_may_start(const struct search *search);

/* Creates the Avahi object. If that fails (an impossible name, no memory), the search has ended:
 * returns false, and calls nothing back. */
bool search_start(struct search *search);

/* Makes a running search wait again, without its Avahi object. Does nothing to other searches. */
void search_suspend(struct search *search);

void search_free(struct search *search);

#endif
