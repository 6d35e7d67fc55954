/*
 * resolve.h: from a target to addresses and a port: decides which of /etc/hosts (etc_hosts.h),
 * Avahi (mdns_client.h) and the C library's resolver (host_lookup.h) to ask, in which order, and what to say
 * when nobody knows the name.
 */
#ifndef ESP_OTA_DISCOVERY_RESOLVE_H
#define ESP_OTA_DISCOVERY_RESOLVE_H

#include "discovery/mdns_client.h"
#include "discovery/namesakes.h"
#include "discovery/target.h"

#include "base/loop.h"

enum { RESOLVE_ADDRESSES_MAX = 8 };

/* Addresses in the order to try them: IPv4 first; link-local IPv6 with its scope; no duplicates;
 * their port is 0. */
struct resolution {
    size_t count;
    struct address addresses[RESOLVE_ADDRESSES_MAX];
    uint16_t port;                 /* from the SRV record; 0: nobody said */
    enum txt_record_flag password; /* whether the board says that it asks for one */
    const char *source;            /* for people: "numeric address", "mDNS", "/etc/hosts", ... */
    char instance[128];       /* escaped instance name; "" when it was not found as a service */
    char type[MDNS_TYPE_MAX]; /* the board's kind, as it came from the network; "": unknown */
    struct claims claims;     /* the addresses that were heard on multicast DNS */
};

struct resolver;

/* Called once, from the loop, never from within resolver_start(). failure is NULL on success. */
typedef void resolver_done_fn(const struct resolution *resolution,
                              const struct ota_failure *failure, void *userdata);

/* Starts to resolve target, for at most timeout_us. want_port: also look for the announcement of
 * the target, when mDNS is asked at all; without it, and for what is no name on mDNS, such as an
 * address, the announcement is welcome and waited for 300 ms at most. All resolvers share one mdns,
 * so that however many there are, there is one D-Bus connection; mdns and target must outlive the
 * resolver. NULL when memory ran out. resolver_free() may be called at any
 * time (also from done) and cancels what is under way. done fails with OTA_E_NOT_FOUND, and the
 * message says what was tried and what to start or install; or with OTA_E_AMBIGUOUS. */
struct resolver *resolver_start(struct loop *loop, struct mdns_client *mdns,
                                const struct target *target, bool want_port, int64_t timeout_us,
                                resolver_done_fn *done, void *userdata);
void resolver_free(struct resolver *resolver);

#endif
