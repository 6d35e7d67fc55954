/*
 * board_match.h: which boards --match and --board mean. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_BOARD_MATCH_H
#define ESP_OTA_DISCOVERY_BOARD_MATCH_H

#include "cli/options.h"
#include "discovery/board_list.h"

/* Fills matching with those of all that the options mean; with only_espota without those that speak
 * another protocol. Its items belong to all: free(matching->items) is all that is to be freed, in
 * any case. Fails with OTA_E_NOT_FOUND when there are none, or OTA_E_INTERNAL. */
enum ota_error board_match(struct board_list *matching, const struct board_list *all,
                           const struct options *options, bool only_espota,
                           struct ota_failure *failure);

#endif
