/* A board's log service on TCP, as three Arduino libraries offer it. */
#ifndef DEVICE_TELNET_H
#define DEVICE_TELNET_H

#include "address.h"
#include "loop.h"
#include "script.h"

struct board;
struct telnet_client;

/* Served clients and those that a restart has abandoned share the slots. */
enum { TELNET_CLIENTS = 8, TELNET_STREAM_CLIENTS = 5, TELNET_TIMERS = 1 + TELNET_CLIENTS };

enum telnet_flavour { TELNET_STREAM, TELNET_ESPTELNET, TELNET_REMOTEDEBUG };

/* The end of a connection at a restart, as clients see it. */
enum telnet_leave { LEAVE_SILENT, LEAVE_RESET, LEAVE_CLOSE };

struct telnet_config {
    bool wanted;
    uint16_t port;
    enum telnet_flavour flavour;
    enum telnet_leave leave;
    int64_t deaf_us;  /* time in which a new client's input is discarded; -1: by flavour */
    bool away_silent; /* connections during a restart are ignored instead of refused */
    bool at_boot;     /* the sketch logs even without a client */
    struct script before;
    struct script after;
};

struct telnet {
    struct address address;
    struct watch listener;
    struct telnet_client *clients[TELNET_CLIENTS];
    int plug;           /* descriptor of silence_port() while away_silent; else -1 */
    struct timer timer; /* the sketch's next step */
    bool is_new;        /* the firmware is the uploaded one */
    size_t step;
    uint64_t done; /* progress in the present step */
    bool ended;
};

/* By name, or false. */
bool telnet_find_flavour(const char *name, enum telnet_flavour *flavour);
bool telnet_find_leave(const char *name, enum telnet_leave *leave);

void telnet_set_up(struct board *board);

/* Listens, and starts the sketch. False with errno. */
bool telnet_open(struct board *board);

/* The board leaves the air, together with its clients. */
void telnet_leave(struct board *board);

/* Drops everything, at the end of the process. */
void telnet_abandon(struct board *board);

/* For the sketch. */

/* Sends bytes to every client. Nothing is lost while telnet_has_room(). */
void telnet_send(struct board *board, const void *bytes, size_t length);

/* Sends a line in the form of the library. */
void telnet_line(struct board *board, const char *text, size_t length);

/* True if every client takes at least TELNET_ROOM more bytes. */
enum { TELNET_ROOM = 1024 };
bool telnet_has_room(const struct board *board);

/* True if a client is connected and can receive lines. */
bool telnet_has_client(const struct board *board);

/* Sends what was gathered. */
void telnet_flush(struct board *board);

void telnet_drop(struct board *board, bool reset);

#endif
