/*
 * host_lookup.c: runs getaddrinfo() in a child process, which sends the result as one record.
 */
#include "discovery/host_lookup.h"

#include "base/error.h"
#include "base/worker.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKUP_ADDRESSES_MAX = 8, LOOKUP_WHY_MAX = 128 };

struct result {
    size_t count;
    struct address addresses[LOOKUP_ADDRESSES_MAX];
    char why[LOOKUP_WHY_MAX];
    bool is_local;
};

struct host_lookup {
    struct loop *loop;
    struct worker child;
    struct loop_watch watch;
    host_lookup_done_fn *done;
    void *userdata;
};

static void collect_addresses(struct result *result, const struct addrinfo *list)
{
    for (const struct addrinfo *item = list; item; item = item->ai_next) {
        struct address address;
        if (result->count < LOOKUP_ADDRESSES_MAX &&
            address_from(&address, item->ai_addr, item->ai_addrlen) &&
            !address_is_among(result->addresses, result->count, &address))
            result->addresses[result->count++] = address;
    }
}

static void answer_lookup(int socket, const char *argument)
{
    /* Without a socket type, every address comes once for each type. */
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *list = NULL;
    struct result result;

    memset(&result, 0, sizeof result); /* the padding, too, goes through the socket */

    int error = getaddrinfo(argument, NULL, &hints, &list);
    result.is_local = error == EAI_MEMORY || (error == EAI_SYSTEM && error_is_local(errno));
    const char *why = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);

    if (error == 0) {
        collect_addresses(&result, list);
        freeaddrinfo(list);
        why = result.count ? "" : "no usable address";
    }

    snprintf(result.why, sizeof result.why, "%s", why);
    send(socket, &result, sizeof result, MSG_NOSIGNAL);
}

static void on_result(unsigned events, void *userdata)
{
    struct host_lookup *lookup = userdata;
    struct result result;

    (void)events;
    ssize_t length = recv(lookup->child.socket, &result, sizeof result, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;

    if (length != (ssize_t)sizeof result)
        result =
            (struct result){.why = "the process that asks the system resolver ended unexpectedly",
                            .is_local = true};

    /* The child hangs up next, which must not count as a second result. */
    loop_watch_stop(&lookup->watch);
    lookup->done(result.addresses, result.count, result.why, result.is_local, lookup->userdata);
}

struct host_lookup *host_lookup_start(struct loop *loop, const char *name,
                                      host_lookup_done_fn *done, void *userdata)
{
    struct host_lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup)
        return NULL;

    *lookup = (struct host_lookup){.loop = loop, .done = done, .userdata = userdata};
    if (worker_start(&lookup->child, answer_lookup, name) < 0) {
        free(lookup);
        return NULL;
    }

    if (loop_watch_start(&lookup->watch, loop, lookup->child.socket, LOOP_READABLE, on_result,
                         lookup) < 0) {
        worker_end(&lookup->child);
        free(lookup);
        errno = ENOMEM;
        return NULL;
    }

    return lookup;
}

void host_lookup_free(struct host_lookup *lookup)
{
    if (!lookup)
        return;

    loop_watch_stop(&lookup->watch);
    worker_end(&lookup->child);
    free(lookup);
}
