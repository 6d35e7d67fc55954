/*
 * mdns_worker.h: multicast DNS through avahi-daemon. discover*.c and avahi_connection.c are the only users of
 * avahi-client. Its calls wait for D-Bus, up to 25 seconds when the bus or the daemon hangs, so
 * everything but tests goes through mdns_client.h, which runs it in a child process.
 */
#ifndef ESP_OTA_DISCOVERY_MDNS_WORKER_H
#define ESP_OTA_DISCOVERY_MDNS_WORKER_H

#include "base/address.h"
#include "discovery/txt_record.h"

#include "base/loop.h"
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum { MDNS_NAME_MAX = 256, MDNS_INSTANCE_MAX = 64, MDNS_TYPE_MAX = 64, MDNS_REASON_MAX = 128 };

/* The kinds of questions, all about the domain local. */
enum mdns_kind {
    MDNS_HOST,     /* every address of a host name, on every interface */
    MDNS_INSTANCE, /* everything about an _arduino._tcp instance, on every interface */
    /* Every _arduino._tcp instance: its name when it is seen, then everything about it, unless it
     * has gone by then: first with one address (IPv4 where there are both), then with every
     * address of that family and every interface on which it is heard. */
    MDNS_BOARDS,
    /* The _arduino._tcp instances at a numeric address, resolved. All such questions share one
     * survey of all boards, whose answers are used for ten seconds. */
    MDNS_ADDRESS,
};

enum mdns_event {
    MDNS_FOUND,       /* one answer; the fields that the kind names are set */
    MDNS_END,         /* the question is over: everything has come, or Avahi gave up */
    MDNS_UNAVAILABLE, /* the question is over: Avahi cannot be asked; reason, is_local are set
                           */
};

/* A plain value, so that it can travel between processes. Every string is terminated; all but
 * reason are as they came from the network: escape them before they are shown. */
struct mdns_answer {
    enum mdns_event event;
    bool has_address;
    bool is_further; /* only the address and its interface are new about this service */
    uint16_t port;
    enum txt_record_flag password;    /* whether the board wants a password; not for MDNS_HOST */
    struct address address;           /* port 0; link-local IPv6 has its scope */
    char interface[IF_NAMESIZE];      /* where the address was heard; "": unknown */
    char instance[MDNS_INSTANCE_MAX]; /* not escaped: as a person would type it */
    char host[MDNS_NAME_MAX];
    char type[MDNS_TYPE_MAX];     /* "esp32dev", or ""; not for MDNS_HOST */
    char reason[MDNS_REASON_MAX]; /* "avahi-daemon: Access denied" */
    bool is_local; /* this computer has run out of memory, processes, file descriptors */
};

struct mdns_worker;

/* An answer to the question id; must not call back into discover. */
typedef void mdns_worker_answer_fn(uint32_t id, const struct mdns_answer *answer, void *userdata);
/* The daemon or the bus has gone for good, perhaps as this computer ran out of something; nothing
 * more will come. A daemon that is only restarted is waited for, and asked again. Frees nothing,
 * calls nothing back. */
typedef void mdns_worker_lost_fn(const char *reason, bool is_local, void *userdata);

/* Connects to the daemon. NULL when that is not possible, with reason filled in, and errno: ENOMEM
 * when memory ran out, otherwise 0. */
struct mdns_worker *mdns_worker_new(struct loop *loop, mdns_worker_answer_fn *on_answer,
                                    mdns_worker_lost_fn *on_lost, void *userdata,
                                    char reason[MDNS_REASON_MAX]);
void mdns_worker_free(struct mdns_worker *discover);

/* Asks; id is the caller's and unique. name is not used by MDNS_BOARDS, and for
 * MDNS_ADDRESS it is the text of an address. Every question ends with exactly one MDNS_END
 * or, as when memory has run out and answers may be missing, MDNS_UNAVAILABLE, unless it is
 * cancelled. */
void mdns_worker_ask(struct mdns_worker *discover, uint32_t id, enum mdns_kind kind,
                     const char *name);
void mdns_worker_cancel(struct mdns_worker *discover, uint32_t id);

#endif
