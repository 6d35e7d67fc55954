/*
 * resolve.h: resolves a target to addresses and a port. The sources are /etc/hosts (etc_hosts.h),
 * Avahi (mdns_client.h) and the C library's resolver (host_lookup.h).
 */
#ifndef ESP_OTA_DISCOVERY_RESOLVE_H
#define ESP_OTA_DISCOVERY_RESOLVE_H

#include "base/loop.h"
#include "base/text.h"
#include "discovery/mdns_client.h"
#include "discovery/namesakes.h"
#include "discovery/target.h"
#include "esp-ota/error.h"

#include <stdint.h>

/* Two networks (Wi-Fi and cable, or station and access point) with one IPv4 address and, by lwIP's
 * default, three IPv6 addresses each. A name that has more addresses is not one board's. */
#define RESOLVE_ADDRESSES_MAX 8

/* For people, if is_cut; where the addresses are tried in turn. */
#define RESOLVE_CUT "its name has more addresses than a board can have"
#define RESOLVE_CUT_TRIED RESOLVE_CUT "; only " NUMBER_TEXT(RESOLVE_ADDRESSES_MAX) " are tried"

/* Addresses in the order to try them: IPv4 first; link-local IPv6 with its scope; no duplicates;
 * their port is 0. */
struct resolution {
    size_t count;
    struct address addresses[RESOLVE_ADDRESSES_MAX];
    bool is_cut;                   /* further addresses were left out */
    uint16_t port;                 /* from the SRV record; 0: unknown */
    enum txt_record_flag password; /* whether the board announces that it asks for one */
    const char *source;            /* for people: "numeric address", "mDNS", "/etc/hosts", ... */
    char instance[128];            /* the escaped instance name; "": not found as a service */
    char host[MDNS_NAME_MAX];      /* its host on multicast DNS, not escaped; "": unknown */
    char type[MDNS_TYPE_MAX];      /* the board's kind, as it came from the network; "": unknown */
    enum service service;          /* that of the announcement */
    struct esphome_record esphome; /* only of SERVICE_ESPHOME */
    struct claims claims;          /* all addresses on multicast DNS */
};

struct resolver;
struct source;

/* The use of a target's announcement, which determines how long it is waited for. */
enum announcement_use {
    ANNOUNCEMENT_OPTIONAL, /* 300 ms */
    ANNOUNCEMENT_PORT,     /* for more, as the port: 1 s if the target has a name on mDNS, else
                            * 300 ms */
    ANNOUNCEMENT_DECIDES,  /* whether the image is sent: 2 s */
};

/* Called once, from the loop, never from within resolver_start(). resolution is NULL on failure,
 * failure on success. The failure is OTA_E_NOT_FOUND with all that was tried and the remedy,
 * OTA_E_AMBIGUOUS or OTA_E_INTERNAL. */
typedef void resolver_done_fn(const struct resolution *resolution,
                              const struct ota_failure *failure, void *userdata);

/* Everything must outlive the resolver. */
struct resolver_config {
    struct loop *loop;
    struct mdns_client *mdns; /* shared by all resolvers, hence one D-Bus connection */
    const struct target *target;
    unsigned services; /* a set (service.h): the first one of them is the target's announcement */
    enum announcement_use use;
    int64_t timeout_us;
    const struct source *source; /* of the questions for a sign of life, to boards of one name */
    resolver_done_fn *on_done;
    void *userdata;
};

/* Starts to resolve the target. The announcement is looked for if mDNS is asked at all. NULL and
 * errno when memory runs out, or /etc/hosts cannot be read for lack of resources. */
struct resolver *resolver_start(const struct resolver_config *config);

/* Cancels all questions. Allowed at any time, also in on_done. */
void resolver_free(struct resolver *resolver);

#endif
