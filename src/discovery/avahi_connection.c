/*
 * avahi_connection.c: the connection to avahi-daemon.
 *
 * libavahi-client reports when the daemon leaves the bus. Its client is useless from then on, so a
 * new client waits for the daemon to return.
 */
#include "discovery/avahi_connection.h"

#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"
#include "discovery/avahi_poll.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 128 };

/* For a restart; a packaged avahi-daemon takes a fraction of a second. */
static const int64_t RETURN_US = SECONDS(3);

struct avahi_connection {
    struct avahi_library avahi;
    struct loop *loop;
    struct avahi_poll *poll; /* in use by the client */
    struct avahi_connection_callbacks callbacks;
    AvahiClient *client;
    bool is_there;
    bool is_new_client_due;
    struct loop_timer timeout; /* creates a new client, or ends the wait for the daemon */
};

static void describe_avahi_error(const struct avahi_connection *connection, char *reason,
                                 size_t capacity, int error)
{
    if (error == AVAHI_ERR_DISCONNECTED)
        snprintf(reason, capacity, "avahi-daemon or the D-Bus system bus has gone");
    else if (error == AVAHI_ERR_NO_DAEMON || error == AVAHI_ERR_DBUS_ERROR)
        snprintf(reason, capacity, "the D-Bus system bus cannot be reached");
    else
        snprintf(reason, capacity, "avahi-daemon: %s", connection->avahi.strerror(error));
}

void avahi_connection_describe(const struct avahi_connection *connection, char *reason,
                               size_t capacity)
{
    describe_avahi_error(connection, reason, capacity,
                         connection->avahi.client_errno(connection->client));
}

bool avahi_connection_has_gone(const struct avahi_connection *connection)
{
    return connection->avahi.client_errno(connection->client) == AVAHI_ERR_DISCONNECTED;
}

/* libdbus has few errors of its own, but leaves errno as it was. EAGAIN only means that a socket
 * has nothing to read. */
static int find_lack(int error, int number)
{
    if (number != EAGAIN && error_is_local(number))
        return number;
    return error == AVAHI_ERR_NO_MEMORY ? ENOMEM : 0;
}

int avahi_connection_lack(const struct avahi_connection *connection, int number)
{
    return find_lack(connection->avahi.client_errno(connection->client), number);
}

static void give_up(struct avahi_connection *connection, int error, int number)
{
    char reason[REASON_MAX];

    describe_avahi_error(connection, reason, sizeof reason, error);
    connection->callbacks.on_lost(reason, find_lack(error, number), connection->callbacks.userdata);
}

static void handle_client_failure(struct avahi_connection *connection)
{
    int error = connection->avahi.client_errno(connection->client);
    bool is_wanted =
        connection->is_there && connection->callbacks.on_gone(connection->callbacks.userdata);

    connection->is_there = false;
    if (!is_wanted || error != AVAHI_ERR_DISCONNECTED) {
        give_up(connection, error, 0);
        return;
    }

    /* The client cannot be freed in its own callback. */
    connection->is_new_client_due = true;
    loop_timer_start(&connection->timeout, 0);
}

static void report_return(struct avahi_connection *connection)
{
    connection->is_there = true;
    loop_timer_stop(&connection->timeout);
    connection->callbacks.on_back(connection->callbacks.userdata);
}

static void on_client(AvahiClient *client, AvahiClientState state, void *userdata)
{
    struct avahi_connection *connection = userdata;

    (void)client;
    /* The first call comes from within avahi_client_new(). Its caller checks the state itself. */
    if (!connection->client)
        return;

    if (state == AVAHI_CLIENT_FAILURE)
        handle_client_failure(connection);
    else if (state != AVAHI_CLIENT_CONNECTING && !connection->is_there)
        report_return(connection);
}

/* Returns an error of Avahi, or 0. After 0 errno still matters: Avahi gives no other reason why a
 * client is not on the bus. Without AVAHI_CLIENT_NO_FAIL Avahi would report a missing bus as "no
 * daemon". */
static int create_client(struct avahi_connection *connection)
{
    int error = 0;

    if (connection->client)
        connection->avahi.client_free(connection->client);
    connection->client = NULL;

    errno = 0;
    connection->client = connection->avahi.client_new(
        avahi_poll_api(connection->poll), AVAHI_CLIENT_NO_FAIL, on_client, connection, &error);
    return connection->client ? 0 : error;
}

static bool is_on_bus(const struct avahi_connection *connection)
{
    return connection->avahi.client_get_state(connection->client) != AVAHI_CLIENT_CONNECTING;
}

static void on_connection_timeout(void *userdata)
{
    struct avahi_connection *connection = userdata;

    if (!connection->is_new_client_due) {
        give_up(connection, AVAHI_ERR_DISCONNECTED, 0);
        return;
    }

    connection->is_new_client_due = false;
    int error = create_client(connection);
    if (error)
        give_up(connection, error, errno);
    else if (is_on_bus(connection))
        report_return(connection);
    else
        loop_timer_start(&connection->timeout, RETURN_US);
}

/* Returns 0, or the errno of avahi_connection_connect(); -1 in place of its 0. */
static int open_connection(struct avahi_connection *connection, char *reason, size_t capacity)
{
    errno = 0;
    const char *missing = avahi_library_load(&connection->avahi);
    if (missing) {
        int lack = find_lack(0, errno);
        snprintf(reason, capacity, "%s", missing);
        return lack ? lack : ELIBACC;
    }

    loop_timer_init(&connection->timeout, connection->loop, on_connection_timeout, connection);
    connection->poll = avahi_poll_new(connection->loop);
    if (!connection->poll) {
        snprintf(reason, capacity, "out of memory");
        return ENOMEM;
    }

    int error = create_client(connection);
    int lack = find_lack(error, errno);
    connection->is_there = !error && is_on_bus(connection);
    if (connection->is_there)
        return 0;

    if (lack) {
        snprintf(reason, capacity, "the D-Bus system bus cannot be used: %s", strerror(lack));
        return lack;
    }
    if (error)
        describe_avahi_error(connection, reason, capacity, error);
    else
        snprintf(reason, capacity,
                 "avahi-daemon is not on the D-Bus system bus, or the bus denies access to it");
    return -1;
}

struct avahi_connection *
avahi_connection_connect(struct loop *loop, const struct avahi_connection_callbacks *callbacks,
                         char *reason, size_t capacity)
{
    struct avahi_connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        snprintf(reason, capacity, "out of memory");
        errno = ENOMEM;
        return NULL;
    }

    *connection = (struct avahi_connection){.loop = loop, .callbacks = *callbacks};
    int error = open_connection(connection, reason, capacity);
    if (error == 0)
        return connection;

    avahi_connection_free(connection);
    errno = error > 0 ? error : 0;
    return NULL;
}

void avahi_connection_free(struct avahi_connection *connection)
{
    if (!connection)
        return;

    if (connection->client)
        connection->avahi.client_free(connection->client);
    avahi_poll_free(connection->poll);
    loop_timer_stop(&connection->timeout);
    free(connection);
}

const struct avahi_library *avahi_connection_avahi(const struct avahi_connection *connection)
{
    return &connection->avahi;
}

AvahiClient *avahi_connection_client(const struct avahi_connection *connection)
{
    return connection->is_there ? connection->client : NULL;
}
