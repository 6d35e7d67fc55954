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

/* Far more than the resolver keeps (RESOLVE_ADDRESSES_MAX): it prefers IPv4, and tells of a
 * rest. */
enum { LOOKUP_ADDRESSES_MAX = 64, LOOKUP_WHY_MAX = 128 };

struct result {
    size_t count;
    struct address addresses[LOOKUP_ADDRESSES_MAX];
    char why[LOOKUP_WHY_MAX];
    bool is_local;
    enum ota_cause lack;
};

struct host_lookup {
    struct loop *loop;
    struct worker child;
    struct loop_watch watch;
    host_lookup_done_fn *done;
    void *userdata;
};

/* Whether an address of the list can be a board's. Blockers of advertisements answer 0.0.0.0, which
 * would lead to this computer. */
static bool is_usable(struct address *address, const struct addrinfo *item,
                      char why[LOOKUP_WHY_MAX])
{
    char text[ADDRESS_TEXT_MAX];

    if (!address_from(address, item->ai_addr, item->ai_addrlen))
        return false;
    if (address_is_unicast(address) && !address_lacks_interface(address))
        return true;
    snprintf(why, LOOKUP_WHY_MAX, "%s, which is %s", address_text(text, address),
             address_is_unicast(address) ? "a link-local address without its interface"
                                         : "not the address of one board");
    return false;
}

/* If the list has none, fills in why. */
static void collect_addresses(struct result *result, const struct addrinfo *list)
{
    struct address address;

    snprintf(result->why, sizeof result->why, "no usable address");
    for (const struct addrinfo *item = list; item; item = item->ai_next)
        if (result->count < LOOKUP_ADDRESSES_MAX && is_usable(&address, item, result->why) &&
            !address_is_among(result->addresses, result->count, &address))
            result->addresses[result->count++] = address;
    if (result->count)
        result->why[0] = '\0';
}

static void answer_lookup(int socket, const char *argument)
{
    /* Without a socket type, every address comes once for each type. */
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *list = NULL;
    struct result result;

    memset(&result, 0, sizeof result); /* the padding, too, goes through the socket */

    int error = getaddrinfo(argument, NULL, &hints, &list);
    int number = error == EAI_SYSTEM ? errno : error == EAI_MEMORY ? ENOMEM : 0;
    result.is_local = error_is_local(number);
    result.lack = error_lack_cause(number);
    snprintf(result.why, sizeof result.why, "%s",
             error == EAI_SYSTEM ? strerror(number) : gai_strerror(error));

    if (error == 0) {
        collect_addresses(&result, list);
        freeaddrinfo(list);
    }

    send(socket, &result, sizeof result, MSG_NOSIGNAL);
}

/* Whether what has come from the child, which parses what the network sends, is what it must be. */
static bool is_sound(const struct result *result)
{
    bool is_sound =
        worker_flag_is_sound(&result->is_local) && result->count <= LOOKUP_ADDRESSES_MAX &&
        memchr(result->why, '\0', sizeof result->why) != NULL &&
        (result->count > 0 || result->why[0]) && (unsigned)result->lack < OTA_CAUSE_COUNT;

    for (size_t i = 0; is_sound && i < result->count; i++) {
        const sa_family_t family = result->addresses[i].any.sa_family;

        is_sound = (family == AF_INET || family == AF_INET6) &&
                   address_is_unicast(&result->addresses[i]) &&
                   !address_lacks_interface(&result->addresses[i]);
    }
    return is_sound;
}

static void on_result(unsigned events, void *userdata)
{
    struct host_lookup *lookup = userdata;
    struct result result;

    (void)events;
    ssize_t length = recv(lookup->child.socket, &result, sizeof result, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;

    if (length != (ssize_t)sizeof result || !is_sound(&result))
        result =
            (struct result){.why = "the process that asks the system resolver ended unexpectedly",
                            .is_local = true};

    /* The child hangs up next, which must not count as a second result. */
    loop_watch_stop(&lookup->watch);
    lookup->done(result.addresses, result.count, result.why, result.is_local, result.lack,
                 lookup->userdata);
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
        const int reason = errno;

        worker_end(&lookup->child);
        free(lookup);
        errno = reason;
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
