/*
 * board_browse.h: looks for all boards that announce themselves in this network. Prints nothing.
 */
#ifndef ESP_OTA_DISCOVERY_BOARD_BROWSE_H
#define ESP_OTA_DISCOVERY_BOARD_BROWSE_H

#include "base/loop.h"
#include "discovery/board_list.h"
#include "discovery/mdns_client.h"
#include "esp-ota.h"

struct board_browse;

/* Called once, from the loop. boards belongs to the browse. failure is NULL when Avahi has told all
 * that it knows for now; else it says why that is not so, or why there are no boards:
 * OTA_E_NOT_FOUND, OTA_E_INTERNAL. Boards that were seen until then are there in any case. */
typedef void board_browse_done_fn(const struct board_list *boards,
                                  const struct ota_failure *failure, void *userdata);

/* Starts; after timeout_us the boards that have come are all. NULL when memory ran out. */
struct board_browse *board_browse_start(struct loop *loop, struct mdns_client *mdns,
                                        int64_t timeout_us, board_browse_done_fn *done,
                                        void *userdata);

/* How many boards have been heard of so far. */
size_t browse_count(const struct board_browse *browse);

/* Ends it at any time, also in done, without calling that. */
void board_browse_free(struct board_browse *browse);

#endif
