/* A board's web server: its port, its clients, and what its page remembers. */
#ifndef DEVICE_WEB_H
#define DEVICE_WEB_H

#include "digest.h"
#include "loop.h"
#include "updater.h"
#include "web_pull.h"

struct board;
struct fault;
struct web_client;

/* Clients that are served and those that a restart has abandoned share the slots. */
enum { WEB_CLIENTS = 8, WEB_TIMERS = 2 + WEB_CLIENTS };

struct web {
    struct watch listener;
    struct web_client *clients[WEB_CLIENTS];
    struct web_client *uploader; /* sends the image at present */
    struct timer restart;
    struct updater updater;
    struct pull pull;
    unsigned connections;
    bool is_started;  /* ElegantOTA's first step, or Tasmota's */
    bool is_unlocked; /* WLED's PIN was given */
    int64_t pin_us;   /* when it was last compared; 0: never */
    bool is_safeboot; /* Tasmota's recovery firmware runs; survives the restart */
    int64_t told_us;  /* when it last said so */
    unsigned boots;   /* restarts that Tasmota has counted */
    unsigned error;   /* Tasmota's own number of an error */
    bool was_allowed; /* what HTTPUpdateServer found about the last file, false at first */
    char nonce[HEX_ROOM], opaque[HEX_ROOM];
};

void web_set_up(struct board *board);

/* Listens. False with errno. */
bool web_open(struct board *board);

/* The board leaves the air, together with its clients. */
void web_leave(struct board *board);

/* Drops everything, at the end of the process. */
void web_abandon(struct board *board);

/* A client is no longer served: serves the next that waits. */
void web_forget(struct board *board, const struct web_client *client);

/* Restarts the board after the delay. */
void web_restart_after(struct board *board, int64_t delay_us);

/* Applies a fault that is due at this byte of the image. True if it stops or interrupts the
 * upload. */
bool web_apply_fault(struct board *board, const struct fault *fault);

#endif
