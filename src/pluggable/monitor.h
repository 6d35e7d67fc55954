/*
 * monitor.h: Arduino's pluggable-monitor protocol over the logs of boards.
 */
#ifndef ESP_OTA_PLUGGABLE_MONITOR_H
#define ESP_OTA_PLUGGABLE_MONITOR_H

#include "base/loop.h"
#include "esp-ota/error.h"

#include <stdbool.h>
#include <stdint.h>

struct monitor;
struct target;

/* Returns the board with this configured name, or NULL. */
typedef const struct target *monitor_find_fn(const char *name, const void *userdata);

struct monitor_settings {
    uint16_t port;     /* of the logs, until CONFIGURE */
    bool keeps_colors; /* see relay.h */
    monitor_find_fn *find;
    const void *userdata;
};

/* Answers an IDE on standard input and output until it sends QUIT or goes, which ends the loop, as
 * does a failure, which is left in *failure. NULL with *failure. */
struct monitor *monitor_start(struct loop *loop, const struct monitor_settings *settings,
                              struct ota_failure *failure);
void monitor_free(struct monitor *monitor);

#endif
