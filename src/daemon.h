/*
 * daemon.h: the connection to avahi-daemon, which may be restarted at any time. discover.c and
 * discover_search.c are its only users.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include "avahi.h"

#include <stdbool.h>
#include <stddef.h>

struct daemon;

struct daemon_callbacks {
    /* The daemon has gone: release every object of the client. Returns whether it is waited for. */
    bool (*on_gone)(void *userdata);
    /* It is there again; there is a new client. */
    void (*on_back)(void *userdata);
    /* It will not come back, and neither will the bus; the last call. is_local: as this computer
     * ran out of something. */
    void (*on_lost)(const char *reason, bool is_local, void *userdata);
    void *userdata;
};

/* Connects. NULL when that is not possible, with reason filled in, and errno: ENOMEM when memory
 * ran out, otherwise 0. */
struct daemon *daemon_connect(const AvahiPoll *poll_api, const struct daemon_callbacks *callbacks,
                              char *reason, size_t capacity);
void daemon_free(struct daemon *daemon);

const struct avahi *daemon_avahi(const struct daemon *daemon);
AvahiClient *daemon_client(const struct daemon *daemon); /* NULL between on_gone and on_back */

/* Why the last call of libavahi-client failed: "avahi-daemon: Access denied". */
void daemon_describe(const struct daemon *daemon, char *reason, size_t capacity);
/* Whether it failed because the daemon or the bus has gone, which the callbacks tell next. */
bool daemon_has_gone(const struct daemon *daemon);
/* Whether any call failed because memory ran out. */
bool daemon_lacks_memory(const struct daemon *daemon);
/* Whether this errno, of a call that failed, says that this computer ran out of something. */
bool daemon_is_local(int number);

#endif
