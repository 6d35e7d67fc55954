/*
 * board_match.h: which boards --match and --board mean. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_BOARD_MATCH_H
#define ESP_OTA_DISCOVERY_BOARD_MATCH_H

#include "discovery/board_list.h"
#include "esp-ota/error.h"

/* Shell patterns; NULL: any. */
struct board_patterns {
    char *name;  /* --match: of the name or the host name */
    char *board; /* --board: of the kind of board */
};

typedef bool board_filter_fn(const struct board *board);
/* Whether the value of --board names the board's chip. */
typedef bool board_chip_fn(const struct board *board, const char *pattern);

/* Fills matching with the matching boards of all; serves, which may be NULL, leaves out boards that
 * do not take uploads by the protocol in question. has_chip is for the message: who gives the name
 * of a chip is told the kinds that have it. The items belong to all: the caller frees
 * matching->items and nothing else, also after a failure: OTA_E_NOT_FOUND if no board matches, or
 * OTA_E_INTERNAL. */
enum ota_error board_match(struct board_list *matching, const struct board_list *all,
                           const struct board_patterns *patterns, board_filter_fn *serves,
                           board_chip_fn *has_chip, struct ota_failure *failure);

#endif
