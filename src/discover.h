/*
 * discover.h: multicast DNS through avahi-daemon. discover*.c and daemon.c are the only users of
 * avahi-client. Its calls wait for D-Bus, up to 25 seconds when the bus or the daemon hangs, so
 * everything but tests goes through mdns.h, which runs it in a child process.
 */
#ifndef DISCOVER_H
#define DISCOVER_H

#include "address.h"
#include "txt.h"

#include <avahi-common/watch.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    DISCOVER_NAME_MAX = 256,
    DISCOVER_INSTANCE_MAX = 64,
    DISCOVER_TYPE_MAX = 64,
    DISCOVER_REASON_MAX = 128
};

/* The kinds of questions, all about the domain local. */
enum discover_kind {
    DISCOVER_HOST,     /* every address of a host name, on every interface */
    DISCOVER_INSTANCE, /* everything about an _arduino._tcp instance, on every interface */
    /* Every _arduino._tcp instance: its name when it is seen, then everything about it, unless it
     * has gone by then: first with one address (IPv4 where there are both), then with every
     * address of that family and every interface on which it is heard. */
    DISCOVER_BOARDS,
    /* The _arduino._tcp instances at a numeric address, resolved. All such questions share one
     * survey of all boards, whose answers are used for ten seconds. */
    DISCOVER_ADDRESS,
};

enum discover_event {
    DISCOVER_FOUND,       /* one answer; the fields that the kind names are set */
    DISCOVER_END,         /* the question is over: everything has come, or Avahi gave up */
    DISCOVER_UNAVAILABLE, /* the question is over: Avahi cannot be asked; reason, is_local are set
                           */
};

/* A plain value, so that it can travel between processes. Every string is terminated; all but
 * reason are as they came from the network: escape them before they are shown. */
struct discover_answer {
    enum discover_event event;
    bool has_address;
    bool is_further; /* only the address and its interface are new about this service */
    uint16_t port;
    enum txt_flag password;      /* whether the board wants a password; not for DISCOVER_HOST */
    struct address address;      /* port 0; link-local IPv6 has its scope */
    char interface[IF_NAMESIZE]; /* where the address was heard; "": unknown */
    char instance[DISCOVER_INSTANCE_MAX]; /* not escaped: as a person would type it */
    char host[DISCOVER_NAME_MAX];
    char type[DISCOVER_TYPE_MAX];     /* "esp32dev", or ""; not for DISCOVER_HOST */
    char reason[DISCOVER_REASON_MAX]; /* "avahi-daemon: Access denied" */
    bool is_local; /* this computer has run out of memory, processes, file descriptors */
};

struct discover;

/* An answer to the question id; must not call back into discover. */
typedef void discover_answer_fn(uint32_t id, const struct discover_answer *answer, void *userdata);
/* The daemon or the bus has gone for good, perhaps as this computer ran out of something; nothing
 * more will come. A daemon that is only restarted is waited for, and asked again. Frees nothing,
 * calls nothing back. */
typedef void discover_lost_fn(const char *reason, bool is_local, void *userdata);

/* Connects to the daemon. NULL when that is not possible, with reason filled in, and errno: ENOMEM
 * when memory ran out, otherwise 0. */
struct discover *discover_new(const AvahiPoll *poll_api, discover_answer_fn *on_answer,
                              discover_lost_fn *on_lost, void *userdata,
                              char reason[DISCOVER_REASON_MAX]);
void discover_free(struct discover *discover);

/* Asks; id is the caller's and unique. name is not used by DISCOVER_BOARDS, and for
 * DISCOVER_ADDRESS it is the text of an address. Every question ends with exactly one DISCOVER_END
 * or, as when memory has run out and answers may be missing, DISCOVER_UNAVAILABLE, unless it is
 * cancelled. */
void discover_ask(struct discover *discover, uint32_t id, enum discover_kind kind,
                  const char *name);
void discover_cancel(struct discover *discover, uint32_t id);

#endif
