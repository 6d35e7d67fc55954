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

/* Answers an IDE on standard input and output until it sends QUIT or goes, which ends the loop, as
 * does a failure, which is left in *failure. port is that of the logs until CONFIGURE; for colors
 * see relay.h. NULL with *failure. */
struct monitor *monitor_start(struct loop *loop, uint16_t port, bool keeps_colors,
                              struct ota_failure *failure);
void monitor_free(struct monitor *monitor);

#endif
