/*
 * candidates.h: the endpoints at which a board may listen. Each gets a UDP socket when it is first
 * tried; once the board is known to be at one of them, the others are closed.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_CANDIDATES_H
#define ESP_OTA_UPLOAD_ESPOTA_CANDIDATES_H

#include "base/loop.h"
#include "net/udp.h"
#include "upload/endpoints.h"
#include "upload/way.h"

/* A datagram came from an endpoint; otherwise like udp_datagram_fn. */
typedef void candidates_datagram_fn(size_t endpoint, const void *data, size_t length,
                                    void *userdata);
/* ICMP reported an error for a datagram to an endpoint; reason is an errno. */
typedef void candidates_error_fn(size_t endpoint, int reason, void *userdata);

struct candidate {
    struct candidates *candidates;
    struct udp udp;
    bool has_way;      /* its socket could be opened, and this computer can send to it */
    bool was_invited;  /* an invitation has left */
    bool is_foreign;   /* set by the caller: a datagram was not understood */
    int network_error; /* errno of the last report; 0 after a datagram */
};

/* The caller fills in the first six members; the others start as 0. */
struct candidates {
    struct loop *loop;
    const struct endpoints *endpoints; /* must outlive the candidates */
    const struct source *source;       /* argument of udp_open() */
    candidates_datagram_fn *on_datagram;
    candidates_error_fn *on_error;
    void *userdata;
    struct candidate *list;
    unsigned tries[ENDPOINTS_MAX];
    size_t current;
    bool is_settled; /* the board is at the current endpoint */
};

/* Returns 0, or -1 when memory ran out. */
int candidates_open(struct candidates *candidates);

/* Sends a datagram to the current endpoint. Returns 0, or the errno of a failure. */
int candidates_send(struct candidates *candidates, const void *data, size_t length);

/* Sends an invitation to the current endpoint. Opens its socket first if necessary. Returns 0 or an
 * errno. */
int candidates_try(struct candidates *candidates, const void *data, size_t length);

/* Reads the datagrams that have arrived. False if there are too many to read all of them now. */
bool candidates_receive(struct candidates *candidates);

/* The endpoint to try next. It is the current one if that is known to be the board's, or has not
 * been tried yet; otherwise endpoints_next() decides. */
size_t candidates_next(const struct candidates *candidates);

/* Makes candidates_next() the current one. Earlier sockets stay open, as replies may be late. */
void candidates_advance(struct candidates *candidates);

/* Whether an endpoint other than the current one has not been tried yet. */
bool candidates_are_left(const struct candidates *candidates);

/* Whether any of them has_way. */
bool candidates_have_way(const struct candidates *candidates);

/* Whether the board may be at an endpoint that was not tried because this computer lacked
 * something, such as a file descriptor (error_is_local()). Stores the number of the endpoint. */
bool candidates_lack_means(const struct candidates *candidates, size_t *endpoint);

/* The board is at this endpoint: closes the sockets of all others. */
void candidates_settle(struct candidates *candidates, size_t endpoint);

/* The endpoint of a board that connected from the address peer: the current one if it has this
 * address; else, of those with this address and without an error, the one tried most often. Returns
 * the current one if there is none. */
size_t candidates_find(const struct candidates *candidates, const struct address *peer);

/* Whether a board at this address may have received an invitation. Once the board's address is
 * known, no other address counts. */
bool candidates_were_invited(const struct candidates *candidates, const struct address *peer);

/* Like udp_local(), for an endpoint. Returns false also if its socket is closed. */
bool candidates_local(const struct candidates *candidates, size_t endpoint, struct address *local);

/* What way_describe() needs, of the candidates that were tried, or of the board's own one if it is
 * known. heard: as in struct way. */
struct way candidates_way(const struct candidates *candidates, const struct claims *heard);

/* Closes all sockets. Allowed at any time, also in a callback. The tries and errors are kept. */
void candidates_close(struct candidates *candidates);
void candidates_free(struct candidates *candidates);

#endif
