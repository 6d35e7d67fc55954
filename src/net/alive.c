/* alive.c: tries to connect to each address. A connection is closed without sending a byte. */
#include "net/alive.h"

#include "base/error.h"
#include "base/units.h"
#include "net/tcp_connect.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PORT = 9 }; /* the discard service (RFC 863) */

static const int64_t DEADLINE_US = MILLISECONDS(1500); /* leaves time to send a lost SYN again */

struct attempt {
    struct alive *alive;
    struct tcp_connect *connection;
};

struct alive {
    size_t count, ended;
    struct attempt *attempts;
    bool *is_alive;
    int shortage; /* errno of a connection for which this computer lacked something */
    alive_done_fn *done;
    void *userdata;
};

static void on_attempt_done(int fd, int reason, void *userdata)
{
    struct attempt *attempt = userdata;
    struct alive *alive = attempt->alive;

    if (fd >= 0)
        close(fd);
    if (fd < 0 && error_is_local(reason))
        alive->shortage = reason;
    alive->is_alive[attempt - alive->attempts] = fd >= 0 || reason == ECONNREFUSED;
    if (++alive->ended == alive->count)
        alive->done(alive->is_alive, alive->shortage, alive->userdata);
}

struct alive *alive_start(struct loop *loop, const struct address *addresses, size_t count,
                          const struct source *source, alive_done_fn *done, void *userdata)
{
    struct alive *alive = calloc(1, sizeof *alive);
    if (!alive)
        return NULL;

    *alive = (struct alive){.count = count,
                            .attempts = calloc(count, sizeof *alive->attempts),
                            .is_alive = calloc(count, sizeof *alive->is_alive),
                            .done = done,
                            .userdata = userdata};

    bool is_complete = alive->attempts && alive->is_alive;
    for (size_t i = 0; i < count && is_complete; i++) {
        struct address address = addresses[i];
        address_set_port(&address, PORT);
        alive->attempts[i].alive = alive;
        alive->attempts[i].connection = tcp_connect_start(loop, &address, source, DEADLINE_US,
                                                          on_attempt_done, &alive->attempts[i]);
        is_complete = alive->attempts[i].connection != NULL;
    }
    if (is_complete)
        return alive;

    alive_free(alive);
    return NULL;
}

void alive_free(struct alive *alive)
{
    if (!alive)
        return;
    for (size_t i = 0; alive->attempts && i < alive->count; i++)
        tcp_connect_free(alive->attempts[i].connection);
    free(alive->attempts);
    free(alive->is_alive);
    free(alive);
}
