/* Tasmota's OTA loop, which OtaUrl and Upgrade start. It fetches an image with ESP8266httpUpdate
 * (ESP32: HTTPUpdate). */
#ifndef DEVICE_WEB_PULL_H
#define DEVICE_WEB_PULL_H

#include "loop.h"

#include <stdbool.h>

struct board;

enum { PULL_URL_ROOM = 152 };

struct pull {
    char url[PULL_URL_ROOM];       /* OtaUrl */
    char saved_url[PULL_URL_ROOM]; /* as it is in flash */
    unsigned attempts;             /* that are left; 0: no upgrade runs */
    bool is_inherited;             /* the recovery firmware goes on with the upgrade */
    bool has_installed;            /* the restart starts what was fetched */
    struct timer timer;
};

void pull_set_up(struct board *board);

/* Upgrade 1. */
void pull_upgrade(struct board *board);

/* The board is back on the air, leaves it, and ends. */
void pull_come_back(struct board *board);
void pull_leave(struct board *board);
void pull_abandon(struct board *board);

#endif
