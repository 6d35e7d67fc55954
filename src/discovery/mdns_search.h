/*
 * mdns_search.h: the searches that a question of mdns_worker.c consists of. Each is one Avahi
 * object: a resolver, which gives one address of a service, or a browser of records, which gives
 * all addresses of a host.
 */
#ifndef ESP_OTA_DISCOVERY_MDNS_SEARCH_H
#define ESP_OTA_DISCOVERY_MDNS_SEARCH_H

#include "base/loop.h"
#include "discovery/avahi_connection.h"
#include "discovery/avahi_library.h"
#include "discovery/mdns_worker.h"

struct query;
struct search;

/* What all searches on one connection share. */
struct search_pool {
    struct loop *loop;
    struct avahi_connection *daemon;
    const struct avahi_library *avahi;
    size_t services_running;
    size_t records_running;
    /* One answer. */
    void (*on_found)(struct search *search, const struct mdns_answer *answer);
    /* Names a host of a service; answer has everything that is known about that service. */
    void (*on_host)(struct search *search, const struct mdns_answer *answer);
    /* A callback of Avahi is over; the last call for a search whose state is SEARCH_ENDED. */
    void (*on_change)(struct search *search);
};

struct search {
    struct search_pool *pool;
    struct query *query; /* the caller's */
    struct search *next; /* the caller's */
    enum { SEARCH_WAITING, SEARCH_RUNNING, SEARCH_ENDED } state;
    char name[MDNS_NAME_MAX]; /* of the service instance or the host */

    AvahiServiceResolver *service;
    AvahiProtocol family;            /* of a service; AVAHI_PROTO_UNSPEC: either */
    struct mdns_answer *second_best; /* has an IPv6 address, while IPv4 is looked for */

    AvahiRecordBrowser *records;
    uint16_t record;           /* the type of the records; 0: a service is resolved */
    struct mdns_answer *facts; /* about the service whose host's records are browsed */
    bool has_found;            /* an address in such a record */
    int64_t duration_us;       /* of browsing records */
    struct loop_timer timeout; /* ends the search */
};

#define DISCOVER_SERVICE "_arduino._tcp"
#define DISCOVER_DOMAIN "local"

/* DNS (RFC 1035, RFC 2782, RFC 3596). */
enum { RECORD_A = 1, RECORD_AAAA = 28, RECORD_SRV = 33 };

/* Resolves the service instance name. NULL when memory ran out. */
struct search *search_new_service(struct search_pool *pool, struct query *query, const char *name,
                                  AvahiProtocol family);

/* Browses the records of a host for duration_us. With facts the host is that of this service, and
 * every answer contains these facts; RECORD_SRV then looks for other hosts of a service with the
 * same name. Without facts the host is name. NULL when memory ran out. */
struct search *search_new_records(struct search_pool *pool, struct query *query, const char *name,
                                  uint16_t record, const struct mdns_answer *facts,
                                  int64_t duration_us);

/* Whether the number of running searches allows one more of this kind. */
bool search_may_start(const struct search *search);

/* Creates the Avahi object. Where that fails (an impossible name, no memory), the search has
 * ended: returns false, and calls nothing. */
bool search_start(struct search *search);

/* Makes a running search wait again, without its Avahi object; others stay as they are. */
void search_suspend(struct search *search);

void search_free(struct search *search);

#endif
