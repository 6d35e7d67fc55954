/*
 * board_list.h: the boards that announce themselves, each once. Pure: asks nobody, prints nothing.
 */
#ifndef ESP_OTA_DISCOVERY_BOARD_LIST_H
#define ESP_OTA_DISCOVERY_BOARD_LIST_H

#include "discovery/namesakes.h"

/* Strings are as they came from the network: escape them before they are shown. */
struct board {
    char instance[MDNS_INSTANCE_MAX]; /* what the board calls itself */
    bool is_resolved; /* false: it was announced, but does not answer; nothing below is set */
    char host[MDNS_NAME_MAX];
    bool has_address;
    struct address address; /* port 0 */
    uint16_t port;
    char type[MDNS_TYPE_MAX];      /* "esp32dev", or "" */
    enum txt_record_flag password; /* whether it wants one */
    struct claims claims;          /* all addresses that were heard of it */
    bool is_ambiguous;             /* one of several boards that call themselves the same */
};

/* Starts as {0}. Sorted by instance without regard to case; ambiguous ones as they were split. */
struct board_list {
    struct board **items;
    size_t count;
};

/* Takes over an answer to MDNS_BOARDS: a board that is not there yet, or more about one that
 * is. A later answer goes before an earlier one, but not an IPv6 address before an IPv4 one; a
 * further address (is_further) is a claim, no more.
 * Returns -1 when memory ran out. */
int board_list_add(struct board_list *boards, const struct mdns_answer *answer);
void board_list_free(struct board_list *boards);

/* What goes by the name of item number is several boards, at these addresses (two or more): each of
 * them becomes an item. Returns -1, and changes nothing, when memory ran out. */
int board_list_split(struct board_list *boards, size_t number, const struct address *addresses,
                     size_t count);

/* Whether it can be uploaded to: other software announces the same service, but speaks HTTP
 * (PROTOCOL.md section 2). Also true when the board is not resolved. */
bool board_speaks_espota(const struct board *board);

/* Whether a shell pattern (fnmatch(3)) fits, in any case: the instance or the host, with or without
 * .local; the type. */
bool board_has_name(const struct board *board, const char *pattern);
bool board_has_type(const struct board *board, const char *pattern);

#endif
