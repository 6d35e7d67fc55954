/*
 * resolve_failure.h: what is said when a name was not found. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_RESOLVE_FAILURE_H
#define ESP_OTA_DISCOVERY_RESOLVE_FAILURE_H

#include "base/suggest.h"
#include "esp-ota.h"

#include <stdbool.h>

struct resolve_failure {
    double seconds;          /* for which the name was looked for */
    bool is_mdns_asked;      /* for this name */
    const char *unavailable; /* why mDNS cannot be asked; "": it can */
    bool is_system_asked;
    bool is_system_pending;
    const char *system_why; /* why the C library found nothing */
    bool is_local;    /* one of them could not be asked as this computer has run out of something */
    bool is_dns_name; /* mDNS is not expected to know it */
    bool has_all_boards; /* boards has all that announce themselves */
    const struct suggestions *boards;
};

/* Fills in failure with OTA_E_NOT_FOUND, or OTA_E_INTERNAL where the trouble is local: who was
 * asked, for how long, the answers, and advice for this name. The caller's message names the board
 * and adds the advice that fits every name. */
void resolve_failure_describe(const struct resolve_failure *facts, struct ota_failure *failure);

#endif
