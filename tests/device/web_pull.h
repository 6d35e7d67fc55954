/* What Tasmota's OtaUrl and Upgrade start: the board fetches an image by itself, as its OTA loop and
 * ESP8266httpUpdate (ESP32: HTTPUpdate) do. */
#ifndef DEVICE_WEB_PULL_H
#define DEVICE_WEB_PULL_H

#include "digest.h"
#include "loop.h"

struct board;
struct fault;

enum { PULL_URL_ROOM = 152, PULL_HEAD_ROOM = 4096 };

struct pull {
    char url[PULL_URL_ROOM];       /* OtaUrl */
    char saved_url[PULL_URL_ROOM]; /* as it is in flash */
    char sketch_md5[HEX_ROOM];     /* of the running sketch */
    char next_md5[HEX_ROOM];       /* of the one that the restart starts; "": the same */
    unsigned attempts;             /* that are left; 0: no upgrade runs */
    bool is_inherited;             /* the recovery firmware goes on with the upgrade */
    int fd;                        /* -1: not connected */
    struct watch watch;
    struct timer timer;
    bool is_body;
    char head[PULL_HEAD_ROOM];
    size_t head_length;
    size_t left; /* bytes of the body that have not come */
};

void pull_set_up(struct board *board);

/* Upgrade 1. */
void pull_upgrade(struct board *board);

/* The board is back on the air, leaves it, and ends. */
void pull_come_back(struct board *board);
void pull_leave(struct board *board);
void pull_abandon(struct board *board);

/* Applies a fault that is due at this byte of the image. True if it stops or interrupts the pull. */
bool pull_apply_fault(struct board *board, const struct fault *fault);

#endif
