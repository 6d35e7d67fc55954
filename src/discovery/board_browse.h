/*
 * board_browse.h: looks for all boards that announce themselves in this network.
 */
#ifndef ESP_OTA_DISCOVERY_BOARD_BROWSE_H
#define ESP_OTA_DISCOVERY_BOARD_BROWSE_H

#include "base/loop.h"
#include "discovery/board_list.h"
#include "discovery/mdns_client.h"
#include "esp-ota/error.h"

#include <stdint.h>

struct board_browse;
struct source;

/* Ends a message about boards that were not found among those of SERVICES_ARDUINO. */
#define BOARD_BROWSE_OTHERS                                                                        \
    "; boards with ESPHome, WLED or Tasmota are looked for with --protocol esphome or web"

/* Called once, from the loop. boards belongs to the browse. failure is NULL if boards is complete
 * as far as Avahi knows, or the time is over. Otherwise it gives the reason (OTA_E_NOT_FOUND: there
 * are no boards; OTA_E_AMBIGUOUS: too many have one name; OTA_E_NO_MDNS; OTA_E_INTERNAL), and
 * boards has those seen until then. */
typedef void board_browse_done_fn(const struct board_list *boards,
                                  const struct ota_failure *failure, void *userdata);

/* Looks for boards with one of these services, for timeout_us at most. Boards of one name are asked
 * from source, which must outlive the browse, for a sign of life. NULL when memory runs out. */
struct board_browse *board_browse_start(struct loop *loop, struct mdns_client *mdns,
                                        unsigned services, int64_t timeout_us,
                                        const struct source *source, board_browse_done_fn *done,
                                        void *userdata);

/* From now on calls found from the loop whenever there is something new about a board. More may be
 * known of it in the end: another address, or that it is two boards. */
typedef void board_browse_found_fn(const struct board *board, void *userdata);
void board_browse_watch(struct board_browse *browse, board_browse_found_fn *found);

/* Returns the number of boards found so far. */
size_t board_browse_count(const struct board_browse *browse);

/* Allowed at any time, also in done. Does not call done. */
void board_browse_free(struct board_browse *browse);

#endif
