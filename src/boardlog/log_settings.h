/*
 * log_settings.h: the settings for the logs of the boards, and for the proof of an update.
 */
#ifndef ESP_OTA_BOARDLOG_LOG_SETTINGS_H
#define ESP_OTA_BOARDLOG_LOG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct expect;

struct log_settings {
    bool monitor;                /* --monitor: show the log until the user ends it */
    uint16_t monitor_port;       /* the TCP port of the log, also for --expect */
    int64_t monitor_for_us;      /* --monitor-for; 0: until a signal comes */
    bool raw;                    /* --raw: keep escape sequences */
    const struct expect *expect; /* --expect and --reject; NULL: neither */
    int64_t expect_timeout_us;   /* --expect-timeout */
    int64_t online_us;           /* --online: limit for the board's return; 0: do not wait for it */
    /* Whether what takes the lines has room for more. NULL: always. */
    bool (*has_room)(const void *reader);
    const void *reader;
};

#endif
