/*
 * resolve_failure.h: the message about a name that was not found. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_RESOLVE_FAILURE_H
#define ESP_OTA_DISCOVERY_RESOLVE_FAILURE_H

#include "base/address.h"
#include "base/suggest.h"
#include "esp-ota/error.h"

#include <stdbool.h>

struct resolve_failure {
    double seconds;          /* duration of the search */
    bool is_mdns_asked;      /* for this name */
    const char *unavailable; /* the reason why mDNS cannot be asked; "": it can */
    bool is_system_asked;
    bool is_system_pending;
    const char *system_why; /* the C library's reason for finding nothing */
    bool is_local;          /* a source could not be asked: this computer ran out of memory etc. */
    enum ota_cause lack;    /* what this computer lacks, if that is known */
    bool is_dns_name;       /* mDNS is not expected to know the name */
    bool is_offline;        /* this computer is in no network */
    bool has_all_boards;    /* boards is complete */
    const struct suggestions *boards; /* with a note if they need another way */
    const struct address *useless;    /* announced, but no board can have it; AF_UNSPEC: none */
    bool is_pattern;                  /* boards match the name as a pattern */
    bool is_separated; /* commas or semicolons separate parts of the name, and one is a board's */
    bool lists_hosts;  /* the parts may be names of boards: target_lists_hosts() */
};

/* Fills in failure with OTA_E_NOT_FOUND, or OTA_E_INTERNAL and lack if is_local. The message lists
 * the sources with their answers or the time they had, and gives advice for this name. The caller
 * adds the name of the board, and advice that fits every name. */
void resolve_failure_describe(const struct resolve_failure *facts, struct ota_failure *failure);

#endif
