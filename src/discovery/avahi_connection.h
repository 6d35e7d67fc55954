/*
 * avahi_connection.h: the connection to avahi-daemon, which may be restarted at any time. mdns_worker.c and
 * mdns_search.c are its only users.
 */
#ifndef ESP_OTA_DISCOVERY_AVAHI_CONNECTION_H
#define ESP_OTA_DISCOVERY_AVAHI_CONNECTION_H

#include "base/loop.h"
#include "discovery/avahi_library.h"

#include <stdbool.h>
#include <stddef.h>

struct avahi_connection;

struct avahi_connection_callbacks {
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
struct avahi_connection *
avahi_connection_connect(struct loop *loop, const struct avahi_connection_callbacks *callbacks,
                         char *reason, size_t capacity);
void avahi_connection_free(struct avahi_connection *daemon);

const struct avahi_library *avahi_connection_avahi(const struct avahi_connection *daemon);
AvahiClient *avahi_connection_client(
    const struct avahi_connection *daemon); /* NULL between on_gone and on_back */

/* Why the last call of libavahi-client failed: "avahi-daemon: Access denied". */
void avahi_connection_describe(const struct avahi_connection *daemon, char *reason,
                               size_t capacity);
/* Whether it failed because the daemon or the bus has gone, which the callbacks tell next. */
bool daemon_has_gone(const struct avahi_connection *daemon);
/* Whether any call failed because memory ran out. */
bool avahi_connection_lacks_memory(const struct avahi_connection *daemon);
/* Whether this errno, of a call that failed, says that this computer ran out of something. */
bool daemon_is_local(int number);

#endif
