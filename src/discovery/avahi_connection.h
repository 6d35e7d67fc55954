/*
 * avahi_connection.h: the connection to avahi-daemon, which may be restarted at any time.
 */
#ifndef ESP_OTA_DISCOVERY_AVAHI_CONNECTION_H
#define ESP_OTA_DISCOVERY_AVAHI_CONNECTION_H

#include "base/loop.h"
#include "discovery/avahi_library.h"

#include <stdbool.h>
#include <stddef.h>

struct avahi_connection;

struct avahi_connection_callbacks {
    /* The daemon has gone: frees every object of the client. Returns whether to wait for it. */
    bool (*on_gone)(void *userdata);
    /* The daemon is back, and there is a new client. */
    void (*on_back)(void *userdata);
    /* Neither the daemon nor the bus will come back: the last call. lack: as
     * avahi_connection_lack() returns it. */
    void (*on_lost)(const char *reason, int lack, void *userdata);
    void *userdata;
};

/* Connects. On failure returns NULL, fills in reason, and sets errno: to that of what this computer
 * lacks, to ELIBACC when libavahi-client cannot be loaded, otherwise to 0. */
struct avahi_connection *
avahi_connection_connect(struct loop *loop, const struct avahi_connection_callbacks *callbacks,
                         char *reason, size_t capacity);
void avahi_connection_free(struct avahi_connection *connection);

const struct avahi_library *avahi_connection_avahi(const struct avahi_connection *connection);

/* NULL between on_gone and on_back. */
AvahiClient *avahi_connection_client(const struct avahi_connection *connection);

/* Why the last call of libavahi-client failed: "avahi-daemon: Access denied". */
void avahi_connection_describe(const struct avahi_connection *connection, char *reason,
                               size_t capacity);

/* Whether it failed because the daemon or the bus has gone. The callbacks report that next. */
bool avahi_connection_has_gone(const struct avahi_connection *connection);

/* What this computer lacked, if the last call of libavahi-client failed and left errno at number:
 * an errno for which error_is_local() holds. 0: it failed for another reason. */
int avahi_connection_lack(const struct avahi_connection *connection, int number);

#endif
