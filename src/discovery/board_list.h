/*
 * board_list.h: the boards that announce themselves, each once. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_BOARD_LIST_H
#define ESP_OTA_DISCOVERY_BOARD_LIST_H

#include "discovery/namesakes.h"

#include <stdint.h>

/* Strings are as they came from the network: escape them before they are shown. */
struct board {
    char instance[MDNS_INSTANCE_MAX]; /* the board's name for itself */
    enum service service;             /* a board with several is listed with each */
    bool is_resolved; /* false: announced, but without an answer; nothing below is set */
    char host[MDNS_NAME_MAX];
    bool has_address;
    struct address address; /* port 0 */
    uint16_t port;
    char type[MDNS_TYPE_MAX];       /* "esp32dev", or "" */
    char version[MDNS_VERSION_MAX]; /* the firmware's, by its own word, or "" */
    char pairs[MDNS_PAIRS_MAX];     /* all that it announces about itself: txt_record_pairs() */
    struct esphome_record esphome;  /* only of SERVICE_ESPHOME */
    enum txt_record_flag password;  /* whether the board requires one */
    struct claims claims;           /* all its addresses on multicast DNS */
    bool is_ambiguous;              /* another board has the same name */
};

/* Starts as {0}. Sorted by instance, without regard to case and with numbers by their value, then
 * by service. Ambiguous boards are in the order of board_list_split(). */
struct board_list {
    struct board **items;
    size_t count;
    size_t capacity; /* of items */
};

/* Adds an answer to MDNS_BOARDS: a new board, or more about a known one. A later answer replaces an
 * earlier one, but an IPv6 address does not replace an IPv4 one, and a further address (is_further)
 * only adds a claim. Returns -1 when memory runs out. */
int board_list_add(struct board_list *boards, const struct mdns_answer *answer);

/* The first board that the answer is about; NULL: there is none. */
const struct board *board_list_find(const struct board_list *boards,
                                    const struct mdns_answer *answer);

void board_list_free(struct board_list *boards);

/* Replaces item number by count items, one for each of these addresses (two or more), as they
 * belong to different boards of the same name. Returns -1, and changes nothing, when memory runs
 * out. */
int board_list_split(struct board_list *boards, size_t number, const struct address *addresses,
                     size_t count);

/* Whether a shell pattern (base/pattern.h) matches the instance or the host, with or without
 * ".local"; the type. */
bool board_has_name(const struct board *board, const char *pattern);
bool board_has_type(const struct board *board, const char *pattern);

#endif
