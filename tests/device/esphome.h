/* ESPHome's OTA service: its port, and the one client that it serves at a time. */
#ifndef DEVICE_ESPHOME_H
#define DEVICE_ESPHOME_H

#include "digest.h"
#include "loop.h"
#include "noise.h"

struct board;
struct fault;

enum { ESPHOME_TIMERS = 2, ESPHOME_IN = 2048, ESPHOME_AHEAD = 8192 };

enum esphome_state {
    ESPHOME_FREE,   /* no client */
    ESPHOME_STEP,   /* reads what the next step needs */
    ESPHOME_DATA,   /* reads the image */
    ESPHOME_BUSY,   /* writes the flash, or pauses */
    ESPHOME_HELD,   /* stays connected and idle until the client goes away */
    ESPHOME_ENDING, /* waits for the client's last byte, and restarts */
};

struct esphome {
    struct watch listener, watch;
    struct timer timer, restart;
    int fd;
    bool is_left_behind; /* by a restart */
    enum esphome_state state;
    void (*then)(struct board *board); /* takes the bytes of a step */
    size_t want, have;                 /* bytes of it, without the frame */
    size_t frame;                      /* bytes of the frame that is read */
    uint8_t in[ESPHOME_IN];
    uint8_t ahead[ESPHOME_AHEAD]; /* frames of the image, read and not yet taken */
    size_t ahead_start, ahead_end;
    uint8_t features, flags;
    bool is_encrypted;
    struct noise noise;
    unsigned segments; /* reads that brought the bytes of the step */
    char nonce[HEX_ROOM];
    char cnonce[HEX_ROOM];
    bool is_packed; /* what it has asked for */
    size_t size;
    size_t acknowledged; /* bytes of the image that 47 was said for */
    int64_t cost_us;
};

void esphome_set_up(struct board *board);

/* Listens. False with errno. */
bool esphome_open(struct board *board);

/* The board leaves the air, together with its client. */
void esphome_leave(struct board *board);

/* Drops everything, at the end of the process. */
void esphome_abandon(struct board *board);

/* Applies a fault that is due at this byte of the image. True if it stops or interrupts the
 * upload. */
bool esphome_apply_fault(struct board *board, const struct fault *fault);

#endif
