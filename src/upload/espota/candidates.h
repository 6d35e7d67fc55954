/*
 * candidates.h: the endpoints at which a board may listen, each with a UDP socket once it is tried,
 * until the board is known to be at one of them. It does not interpret the datagrams.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_CANDIDATES_H
#define ESP_OTA_UPLOAD_ESPOTA_CANDIDATES_H

#include "base/loop.h"
#include "net/udp.h"
#include "upload/espota/endpoints.h"

/* A datagram from an endpoint, as udp_datagram_fn. */
typedef void candidates_datagram_fn(size_t endpoint, const void *data, size_t length,
                                    void *userdata);
/* ICMP said something about a datagram to an endpoint; reason is an errno. */
typedef void candidates_error_fn(size_t endpoint, int reason, void *userdata);

struct candidate {
    struct candidates *candidates;
    struct udp udp;
    bool has_way;      /* its socket could be opened, and this computer lets datagrams out */
    bool was_invited;  /* an invitation has left */
    bool is_foreign;   /* for the caller: a datagram was not understood */
    int network_error; /* errno of the last report; 0 after a datagram */
};

/* The caller fills in the first six; the rest starts as 0. */
struct candidates {
    struct loop *loop;
    const struct endpoints *endpoints; /* must outlive it */
    const struct source *source;       /* as for udp_open() */
    candidates_datagram_fn *on_datagram;
    candidates_error_fn *on_error;
    void *userdata;
    struct candidate *list;
    unsigned tries[ENDPOINTS_MAX];
    size_t current;
    bool is_settled; /* the board is at the current one */
};

/* -1 when memory ran out. */
int candidates_open(struct candidates *candidates);

/* Sends one datagram to the current endpoint. Returns 0, or the errno why it cannot leave. */
int candidates_send(struct candidates *candidates, const void *data, size_t length);

/* Sends an invitation to the current endpoint, and opens its socket first if need be. Returns 0 or
 * an errno. */
int candidates_try(struct candidates *candidates, const void *data, size_t length);

/* Takes what has arrived from any of them and was not read yet. */
void candidates_receive(struct candidates *candidates);

/* The endpoint to try next, by endpoints_next(): the current one, once it is known to be the
 * board's, or as long as it has not been tried. */
size_t candidates_next(const struct candidates *candidates);

/* Makes that one the current one. Earlier sockets stay open, as an answer may be late. */
void candidates_advance(struct candidates *candidates);

/* Whether some other endpoint than the current one has not been tried yet. */
bool candidates_are_left(const struct candidates *candidates);

/* Whether there is a way to any of them. */
bool candidates_have_way(const struct candidates *candidates);

/* The board is at this endpoint: closes the sockets of all others. */
void candidates_settle(struct candidates *candidates, size_t endpoint);

/* The endpoint of the board that connected from this address: the current one or, where that has
 * another address, the one tried most often that did not refuse. The current one where there is
 * none. */
size_t candidates_find(const struct candidates *candidates, const struct address *peer);

/* Whether the board at this address may have got an invitation; of other addresses than the
 * board's none has, once that is known. */
bool candidates_were_invited(const struct candidates *candidates, const struct address *peer);

/* As udp_local(), of an endpoint; false also when its socket is closed. */
bool candidates_local(const struct candidates *candidates, size_t endpoint, struct address *local);

/* Allowed at any time, also in a callback and when nothing is open; the tries and the errors stay.
 */
void candidates_close(struct candidates *candidates);
void candidates_free(struct candidates *candidates);

#endif
