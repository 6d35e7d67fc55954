/*
 * avahi_connection.c: see avahi_connection.h. libavahi-client tells when the daemon leaves the bus; its client is of no
 * use then, and a new one waits for the next daemon.
 */
#include "discovery/avahi_connection.h"

#include "base/error.h"
#include "base/loop.h"
#include "discovery/avahi_poll.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a restart may take: of a packaged avahi-daemon a fraction of a second. */
enum { RETURN_US = 3000000, REASON_MAX = 128 };

struct avahi_connection {
    struct avahi_library avahi;
    struct loop *loop;
    struct avahi_poll *poll; /* what libavahi-client waits with */
    struct avahi_connection_callbacks callbacks;
    AvahiClient *client;
    bool is_there;
    bool is_new_client_due;
    struct loop_timer timeout; /* for a new client, or to wait no longer */
};

static void describe_avahi_error(const struct avahi_connection *daemon, char *reason,
                                 size_t capacity, int error)
{
    if (error == AVAHI_ERR_DISCONNECTED)
        snprintf(reason, capacity, "avahi-daemon or the D-Bus system bus has gone");
    else if (error == AVAHI_ERR_NO_DAEMON || error == AVAHI_ERR_DBUS_ERROR)
        snprintf(reason, capacity, "the D-Bus system bus cannot be reached");
    else
        snprintf(reason, capacity, "avahi-daemon: %s", daemon->avahi.strerror(error));
}

void avahi_connection_describe(const struct avahi_connection *daemon, char *reason, size_t capacity)
{
    describe_avahi_error(daemon, reason, capacity, daemon->avahi.client_errno(daemon->client));
}

bool daemon_has_gone(const struct avahi_connection *daemon)
{
    return daemon->avahi.client_errno(daemon->client) == AVAHI_ERR_DISCONNECTED;
}

/* libdbus has few words for all that goes wrong, but leaves errno as it was. EAGAIN is what every
 * socket says that has nothing to read. */
bool daemon_is_local(int number)
{
    return number != EAGAIN && error_is_local(number);
}

bool avahi_connection_lacks_memory(const struct avahi_connection *daemon)
{
    return daemon->avahi.client_errno(daemon->client) == AVAHI_ERR_NO_MEMORY;
}

static void give_up(struct avahi_connection *daemon, int error, bool is_local)
{
    char reason[REASON_MAX];
    describe_avahi_error(daemon, reason, sizeof reason, error);
    daemon->callbacks.on_lost(reason, is_local || error == AVAHI_ERR_NO_MEMORY,
                              daemon->callbacks.userdata);
}

static void on_failure(struct avahi_connection *daemon)
{
    int error = daemon->avahi.client_errno(daemon->client);
    bool is_wanted = daemon->is_there && daemon->callbacks.on_gone(daemon->callbacks.userdata);

    daemon->is_there = false;
    if (!is_wanted || error != AVAHI_ERR_DISCONNECTED) {
        give_up(daemon, error, false);
        return;
    }
    /* The client cannot be freed in its own callback. */
    daemon->is_new_client_due = true;
    loop_timer_start(&daemon->timeout, 0);
}

static void set_there(struct avahi_connection *daemon)
{
    daemon->is_there = true;
    loop_timer_stop(&daemon->timeout);
    daemon->callbacks.on_back(daemon->callbacks.userdata);
}

static void on_client(AvahiClient *client, AvahiClientState state, void *userdata)
{
    struct avahi_connection *daemon = userdata;
    (void)client;

    /* The first call comes from within avahi_client_new(), whose caller sees the state itself. */
    if (!daemon->client)
        return;

    if (state == AVAHI_CLIENT_FAILURE)
        on_failure(daemon);
    else if (state != AVAHI_CLIENT_CONNECTING && !daemon->is_there)
        set_there(daemon);
}

/* Without AVAHI_CLIENT_NO_FAIL Avahi would say "no daemon" when there is no bus, too. Returns an
 * error of Avahi, or 0; what daemon_is_local() says of errno then also holds for a client that is
 * not on the bus, as Avahi says no more of it. */
static int new_client(struct avahi_connection *daemon)
{
    int error = 0;
    if (daemon->client)
        daemon->avahi.client_free(daemon->client);
    daemon->client = NULL;
    errno = 0;
    daemon->client = daemon->avahi.client_new(avahi_poll_api(daemon->poll), AVAHI_CLIENT_NO_FAIL,
                                              on_client, daemon, &error);
    return daemon->client ? 0 : error;
}

static bool is_on_bus(const struct avahi_connection *daemon)
{
    return daemon->avahi.client_get_state(daemon->client) != AVAHI_CLIENT_CONNECTING;
}

static void on_connection_timeout(void *userdata)
{
    struct avahi_connection *daemon = userdata;

    if (!daemon->is_new_client_due) {
        give_up(daemon, AVAHI_ERR_DISCONNECTED, false);
        return;
    }

    daemon->is_new_client_due = false;
    int error = new_client(daemon);
    if (error)
        give_up(daemon, error, daemon_is_local(errno));
    else if (is_on_bus(daemon))
        set_there(daemon);
    else
        loop_timer_start(&daemon->timeout, RETURN_US);
}

/* Returns 0, or the errno that avahi_connection_connect() promises, or -1 for none. */
static int open_connection(struct avahi_connection *daemon, char *reason, size_t capacity)
{
    errno = 0;
    const char *missing = avahi_library_load(&daemon->avahi);
    if (missing) {
        bool is_local = error_is_local(errno);
        snprintf(reason, capacity, "%s", missing);
        return is_local ? ENOMEM : -1;
    }
    loop_timer_init(&daemon->timeout, daemon->loop, on_connection_timeout, daemon);
    daemon->poll = avahi_poll_new(daemon->loop);
    if (!daemon->poll) {
        snprintf(reason, capacity, "out of memory");
        return ENOMEM;
    }
    int error = new_client(daemon);
    const int number = errno;
    daemon->is_there = !error && is_on_bus(daemon);
    if (daemon->is_there)
        return 0;

    if (daemon_is_local(number) || error == AVAHI_ERR_NO_MEMORY) {
        snprintf(reason, capacity, "the D-Bus system bus cannot be used: %s",
                 strerror(daemon_is_local(number) ? number : ENOMEM));
        return ENOMEM;
    }
    if (error)
        describe_avahi_error(daemon, reason, capacity, error);
    else
        snprintf(reason, capacity,
                 "avahi-daemon is not on the D-Bus system bus, or the bus denies access to it");
    return -1;
}

struct avahi_connection *
avahi_connection_connect(struct loop *loop, const struct avahi_connection_callbacks *callbacks,
                         char *reason, size_t capacity)
{
    struct avahi_connection *daemon = calloc(1, sizeof *daemon);
    if (!daemon) {
        snprintf(reason, capacity, "out of memory");
        return NULL;
    }

    *daemon = (struct avahi_connection){.loop = loop, .callbacks = *callbacks};
    int error = open_connection(daemon, reason, capacity);
    if (error == 0)
        return daemon;
    avahi_connection_free(daemon);
    errno = error == ENOMEM ? ENOMEM : 0;
    return NULL;
}

void avahi_connection_free(struct avahi_connection *daemon)
{
    if (!daemon)
        return;
    if (daemon->client)
        daemon->avahi.client_free(daemon->client);
    avahi_poll_free(daemon->poll);
    loop_timer_stop(&daemon->timeout);
    free(daemon);
}

const struct avahi_library *avahi_connection_avahi(const struct avahi_connection *daemon)
{
    return &daemon->avahi;
}

AvahiClient *avahi_connection_client(const struct avahi_connection *daemon)
{
    return daemon->is_there ? daemon->client : NULL;
}
