/*
 * mdns_worker.h: multicast DNS through avahi-daemon. It runs in a worker process, started by
 * mdns_client.c: the calls of libavahi-client wait for D-Bus, up to 25 seconds when the bus or the
 * daemon hangs.
 */
#ifndef ESP_OTA_DISCOVERY_MDNS_WORKER_H
#define ESP_OTA_DISCOVERY_MDNS_WORKER_H

#include "base/address.h"
#include "base/loop.h"
#include "discovery/esphome_record.h"
#include "discovery/service.h"
#include "discovery/txt_record.h"
#include "esp-ota/error.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    MDNS_NAME_MAX = 256,
    MDNS_INSTANCE_MAX = 64,
    MDNS_TYPE_MAX = 64,
    MDNS_VERSION_MAX = 64,
    MDNS_PAIRS_MAX = 400, /* cores announce some 70 bytes, a sketch may add more */
    MDNS_REASON_MAX = 128
};

/* The kinds of questions, all about the domain "local". */
enum mdns_kind {
    MDNS_HOST,     /* every address of a host name, on every interface */
    MDNS_INSTANCE, /* everything about an instance of some services, on every interface */
    /* Every board with one of some services. The first answer has its name only; it does not come
     * for services that others announce, too (service_is_shared()). The next has everything about
     * it with one address (IPv4 if it has both), unless the instance has gone by then. Further
     * answers have the other addresses of that family and the other interfaces. */
    MDNS_BOARDS,
    /* The instances of some services at a numeric address, resolved. All such questions share one
     * survey of all boards, and its answers are used for ten seconds. It leaves out shared
     * services, unless the question is about all. */
    MDNS_ADDRESS,
    /* Whether instances of some services change, until the question is canceled. An answer comes at
     * once, as a sign that they are watched, and then whenever an instance comes or goes on an
     * interface. No answer has a field. */
    MDNS_CHANGES,
};

enum mdns_event {
    MDNS_FOUND,       /* one answer, with the fields for the kind of question */
    MDNS_END,         /* the question is over: the answers are complete, or Avahi gave up */
    MDNS_UNAVAILABLE, /* the question is over: Avahi cannot be asked (reason, is_local) */
};

/* A plain value, so that it can travel between processes. Every string is terminated. All but
 * reason are as they came from the network: escape them before they are shown. */
struct mdns_answer {
    enum mdns_event event;
    bool has_address;     /* which a board can have */
    bool is_further;      /* of this service, only the address and its interface are new */
    enum service service; /* not for MDNS_HOST */
    uint16_t port;
    enum txt_record_flag password; /* whether the board requires one; not for MDNS_HOST */
    struct address address; /* port 0; link-local IPv6 with its scope; without has_address one that
                             * no board can have, or AF_UNSPEC */
    char interface[IF_NAMESIZE];      /* the address was heard on this one; "": unknown */
    char instance[MDNS_INSTANCE_MAX]; /* not escaped: as a person would type it */
    char host[MDNS_NAME_MAX];
    char type[MDNS_TYPE_MAX];       /* "esp32dev", or ""; not for MDNS_HOST */
    char version[MDNS_VERSION_MAX]; /* the firmware's, or ""; not for MDNS_HOST */
    char pairs[MDNS_PAIRS_MAX];     /* txt_record_pairs(); not for MDNS_HOST */
    struct esphome_record esphome;  /* only of SERVICE_ESPHOME; the version is the project's */
    char reason[MDNS_REASON_MAX];   /* "avahi-daemon: Access denied" */
    unsigned unheard;    /* MDNS_END: silent instances of shared services, which may be boards */
    bool is_local;       /* this computer has run out of memory, processes or file descriptors, or a
                          * list of boards exceeds its limit */
    enum ota_cause lack; /* what it lacks, if that is known: one of these, or the library */
};

struct mdns_worker;

/* Receives an answer to the question id. Must not call functions of the worker. */
typedef void mdns_worker_answer_fn(uint32_t id, const struct mdns_answer *answer, void *userdata);

/* The last call: the daemon or the bus has gone for good. lack: the errno by which this computer
 * ran out of memory or the like, or 0. If the daemon is only restarted, the worker waits for it and
 * asks again. Must not call functions of the worker. */
typedef void mdns_worker_lost_fn(const char *reason, int lack, void *userdata);

/* Connects to the daemon. On failure returns NULL, fills in reason, and sets errno as
 * avahi_connection_connect() does. */
struct mdns_worker *mdns_worker_new(struct loop *loop, mdns_worker_answer_fn *on_answer,
                                    mdns_worker_lost_fn *on_lost, void *userdata,
                                    char reason[MDNS_REASON_MAX]);
void mdns_worker_free(struct mdns_worker *worker);

/* Asks. The caller chooses a unique id. services is the set for all but MDNS_HOST. name is the text
 * of an address for MDNS_ADDRESS, and unused for MDNS_BOARDS. Every question ends with exactly one
 * MDNS_END or, if answers may be missing, MDNS_UNAVAILABLE, unless it is canceled. */
void mdns_worker_ask(struct mdns_worker *worker, uint32_t id, enum mdns_kind kind,
                     unsigned services, const char *name);
void mdns_worker_cancel(struct mdns_worker *worker, uint32_t id);

#endif
