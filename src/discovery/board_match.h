/*
 * board_match.h: which boards --match and --board mean. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_BOARD_MATCH_H
#define ESP_OTA_DISCOVERY_BOARD_MATCH_H

#include "discovery/board_list.h"
#include "esp-ota/error.h"

enum { BOARD_WAY_MAX = 96 };

/* Shell patterns; NULL: any. */
struct board_patterns {
    char *name;  /* --match: of the name or the host name */
    char *board; /* --board: of the kind of board */
};

typedef bool board_filter_fn(const struct board *board);

/* What the messages say of a board and this folder does not know. */
struct board_facts {
    /* Whether the value of --board names the board's chip. */
    bool (*has_chip)(const struct board *board, const char *pattern);
    /* How the board takes uploads: "ESPHome (--protocol esphome)". */
    void (*describe_way)(char text[BOARD_WAY_MAX], const struct board *board);
};

/* Fills matching with the matching boards of all; serves, which may be NULL, leaves out boards that
 * do not take uploads by the protocol in question. The items belong to all: the caller frees
 * matching->items and nothing else, also after a failure: OTA_E_NOT_FOUND if no board matches, with
 * a message about those that nearly do, or OTA_E_INTERNAL. */
enum ota_error board_match(struct board_list *matching, const struct board_list *all,
                           const struct board_patterns *patterns, board_filter_fn *serves,
                           const struct board_facts *facts, struct ota_failure *failure);

/* Writes which boards of all --board leaves out although they have the chip that its pattern names,
 * as their kinds are called otherwise; "" if there are none. Returns text. */
const char *board_match_left_out(char *text, size_t capacity, const struct board_list *all,
                                 const struct board_patterns *patterns, board_filter_fn *serves,
                                 const struct board_facts *facts);

#endif
