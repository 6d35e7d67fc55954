/*
 * board_browse.h: looks for all boards that announce themselves in this network.
 */
#ifndef ESP_OTA_DISCOVERY_BOARD_BROWSE_H
#define ESP_OTA_DISCOVERY_BOARD_BROWSE_H

#include "base/loop.h"
#include "discovery/board_list.h"
#include "discovery/mdns_client.h"
#include "esp-ota/error.h"

#include <stdbool.h>
#include <stdint.h>

struct board_browse;
struct source;

/* Called once, from the loop. boards belongs to the browse. failure is NULL if boards is complete
 * as far as Avahi knows, or the time is over. Otherwise it gives the reason (OTA_E_NOT_FOUND: there
 * are no boards; OTA_E_AMBIGUOUS: too many have one name; OTA_E_NO_MDNS; OTA_E_INTERNAL), and
 * boards has those seen until then. */
typedef void board_browse_done_fn(const struct board_list *boards,
                                  const struct ota_failure *failure, void *userdata);

/* Called from the loop whenever there is something new about a board. More may be known of it in
 * the end: another address, or that it is two boards. */
typedef void board_browse_found_fn(const struct board *board, void *userdata);

/* Everything must outlive the browse. */
struct board_browse_config {
    struct loop *loop;
    struct mdns_client *mdns;
    unsigned services;           /* a set (service.h): boards with one of them */
    int64_t timeout_us;          /* at most */
    bool is_further;             /* an earlier browse has said which boards may be missing */
    const struct source *source; /* of the questions for a sign of life, to boards of one name */
    board_browse_found_fn *on_found; /* NULL: only the end matters */
    board_browse_done_fn *on_done;
    void *userdata;
};

/* NULL when memory runs out. */
struct board_browse *board_browse_start(const struct board_browse_config *config);

/* Returns the number of boards found so far. */
size_t board_browse_count(const struct board_browse *browse);

/* Allowed at any time, also in on_done. Does not call on_done. */
void board_browse_free(struct board_browse *browse);

#endif
