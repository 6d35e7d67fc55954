/*
 * fleet_settings.h: how many boards are updated at a time, and how often each one is tried.
 */
#ifndef ESP_OTA_FLEET_FLEET_SETTINGS_H
#define ESP_OTA_FLEET_FLEET_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct fleet_settings {
    unsigned jobs;         /* -j: boards at a time, at least 1 */
    unsigned canaries;     /* --canary: boards that have to succeed first; 0: none */
    unsigned failures_max; /* --max-failures; 0: no limit */
    unsigned retries;      /* attempts after the first */
    int64_t wait_us;       /* --wait: for a board that is off; 0: such a board has failed */
    bool is_dry_run;       /* --dry-run: end before anything is sent to a board */
    int64_t deadline_us;   /* --deadline of each board's upload; 0: none */
};

#endif
