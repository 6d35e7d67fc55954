/*
 * candidates.c: one UDP socket for each endpoint. The sockets are connected, so that each datagram
 * and each ICMP error can be attributed to an endpoint.
 */
#include "upload/espota/candidates.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>

static size_t candidate_index(const struct candidate *candidate)
{
    return (size_t)(candidate - candidate->candidates->list);
}

static void on_candidate_datagram(const void *data, size_t length, void *userdata)
{
    struct candidate *candidate = userdata;
    struct candidates *candidates = candidate->candidates;

    candidate->network_error = 0;
    candidates->on_datagram(candidate_index(candidate), data, length, candidates->userdata);
}

static void on_candidate_error(int reason, void *userdata)
{
    struct candidate *candidate = userdata;
    struct candidates *candidates = candidate->candidates;

    candidate->network_error = reason;
    candidates->on_error(candidate_index(candidate), reason, candidates->userdata);
}

int candidates_open(struct candidates *candidates)
{
    size_t count = endpoints_count(candidates->endpoints);

    candidates->list = calloc(count, sizeof *candidates->list);
    if (!candidates->list)
        return -1;

    for (size_t i = 0; i < count; i++) {
        struct candidate *candidate = &candidates->list[i];

        candidate->candidates = candidates;
        candidate->udp = (struct udp){.loop = candidates->loop,
                                      .on_datagram = on_candidate_datagram,
                                      .on_error = on_candidate_error,
                                      .userdata = candidate,
                                      .fd = -1};
    }
    return 0;
}

int candidates_send(struct candidates *candidates, const void *data, size_t length)
{
    struct candidate *candidate = &candidates->list[candidates->current];
    int reason = udp_send(&candidate->udp, data, length);

    if (reason)
        candidate->network_error = reason;
    return reason;
}

int candidates_try(struct candidates *candidates, const void *data, size_t length)
{
    struct candidate *candidate = &candidates->list[candidates->current];
    const struct address board = endpoints_get(candidates->endpoints, candidates->current);

    candidates->tries[candidates->current]++;
    if (candidate->udp.fd < 0 && udp_open(&candidate->udp, candidates->source, &board) < 0) {
        candidate->network_error = errno;
        return candidate->network_error;
    }
    candidate->has_way = true;

    int reason = candidates_send(candidates, data, length);
    candidate->was_invited |= !reason;
    return reason;
}

bool candidates_receive(struct candidates *candidates)
{
    size_t count = endpoints_count(candidates->endpoints);
    bool is_all = true;

    for (size_t i = 0; i < count; i++)
        is_all &= udp_receive(&candidates->list[i].udp);
    return is_all;
}

size_t candidates_next(const struct candidates *candidates)
{
    size_t current = candidates->current;
    bool was_refused = candidates->list[current].network_error == ECONNREFUSED;

    if (candidates->is_settled || candidates->tries[current] == 0)
        return current;
    return endpoints_next(candidates->endpoints, candidates->tries, current, was_refused);
}

void candidates_advance(struct candidates *candidates)
{
    candidates->current = candidates_next(candidates);
}

bool candidates_are_left(const struct candidates *candidates)
{
    size_t count = endpoints_count(candidates->endpoints);

    for (size_t i = 0; !candidates->is_settled && i < count; i++)
        if (candidates->tries[i] == 0 && i != candidates->current)
            return true;
    return false;
}

bool candidates_have_way(const struct candidates *candidates)
{
    size_t count = endpoints_count(candidates->endpoints);

    for (size_t i = 0; i < count; i++)
        if (candidates->list[i].has_way)
            return true;
    return false;
}

bool candidates_lack_means(const struct candidates *candidates, size_t *endpoint)
{
    size_t count = endpoints_count(candidates->endpoints);

    for (size_t i = 0; !candidates->is_settled && i < count; i++)
        if (error_is_local(candidates->list[i].network_error)) {
            *endpoint = i;
            return true;
        }
    return false;
}

void candidates_settle(struct candidates *candidates, size_t endpoint)
{
    size_t count = endpoints_count(candidates->endpoints);

    candidates->current = endpoint;
    candidates->is_settled = true;
    for (size_t i = 0; i < count; i++)
        if (i != endpoint)
            udp_close(&candidates->list[i].udp);
}

size_t candidates_find(const struct candidates *candidates, const struct address *peer)
{
    size_t count = endpoints_count(candidates->endpoints), best = candidates->current;
    const struct address current = endpoints_get(candidates->endpoints, best);
    unsigned most = 0;

    if (address_equal(&current, peer))
        return best;

    for (size_t i = 0; i < count; i++) {
        const struct address address = endpoints_get(candidates->endpoints, i);

        if (candidates->tries[i] <= most || candidates->list[i].network_error ||
            !address_equal(&address, peer))
            continue;

        most = candidates->tries[i];
        best = i;
    }
    return best;
}

bool candidates_were_invited(const struct candidates *candidates, const struct address *peer)
{
    for (size_t i = 0; i < endpoints_count(candidates->endpoints); i++) {
        const struct address address = endpoints_get(candidates->endpoints, i);
        bool counts =
            candidates->is_settled ? i == candidates->current : candidates->list[i].was_invited;

        if (counts && address_equal(&address, peer))
            return true;
    }
    return false;
}

bool candidates_local(const struct candidates *candidates, size_t endpoint, struct address *local)
{
    const struct udp *udp = &candidates->list[endpoint].udp;

    return udp->fd >= 0 && udp_local(udp, local);
}

/* Whether no candidate at an address has replied; their numbers begin at first. */
static bool is_address_silent(const struct candidates *candidates, size_t first)
{
    bool was_tried = false;

    for (size_t i = first; i < first + candidates->endpoints->port_count; i++) {
        const struct candidate *candidate = &candidates->list[i];

        if (candidate->is_foreign || candidate->network_error == ECONNREFUSED)
            return false;
        was_tried |= candidates->tries[i] > 0;
    }
    return was_tried;
}

struct way candidates_way(const struct candidates *candidates, const struct claims *heard)
{
    const struct endpoints *endpoints = candidates->endpoints;
    const size_t ports = endpoints->port_count;
    struct way way = {.endpoints = endpoints, .source = candidates->source, .heard = heard};

    if (candidates->is_settled)
        way.best = candidates->current / ports;
    for (size_t i = 0; i < endpoints->address_count; i++)
        way.is_silent[i] =
            (!candidates->is_settled || i == way.best) && is_address_silent(candidates, i * ports);
    return way;
}

void candidates_close(struct candidates *candidates)
{
    size_t count = candidates->list ? endpoints_count(candidates->endpoints) : 0;

    for (size_t i = 0; i < count; i++)
        udp_close(&candidates->list[i].udp);
}

void candidates_free(struct candidates *candidates)
{
    candidates_close(candidates);
    free(candidates->list);
    candidates->list = NULL;
}
