/*
 * log_settings.h: whether the boards' logs are followed, and what they have to prove.
 */
#ifndef ESP_OTA_BOARDLOG_LOG_SETTINGS_H
#define ESP_OTA_BOARDLOG_LOG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct expect;

struct log_settings {
    bool monitor;              /* --monitor: the log is shown until the user ends it */
    uint16_t monitor_port;     /* the TCP port of the log, also for --expect */
    int64_t monitor_for_us;    /* --monitor-for; 0: until a signal comes */
    bool raw;                  /* --raw: escape sequences are kept */
    struct expect *expect;     /* --expect and --reject; NULL: nothing is expected */
    int64_t expect_timeout_us; /* --expect-timeout */
    int64_t online_us;         /* --online: for the board's return; 0: it is not waited for */
};

#endif
