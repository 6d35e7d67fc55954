/*
 * board_select.h: selects the announced boards to update: all of them, those that match a pattern,
 * or those chosen by a person at the terminal.
 */
#ifndef ESP_OTA_CLI_BOARD_SELECT_H
#define ESP_OTA_CLI_BOARD_SELECT_H

#include "base/loop.h"
#include "cli/options.h"
#include "esp-ota/error.h"
#include "fleet/plan.h"

/* Looks for the boards and adds them to the plan, which was made from the options. Runs the loop
 * meanwhile: for -t, or for as long as --wait if no board is there. Fails with OTA_E_NOT_FOUND (the
 * message says which boards there are), OTA_E_USAGE if no board is chosen, or OTA_E_INTERNAL.
 * *search: why boards may be missing that a person did not choose from; OTA_OK if none are. */
enum ota_error board_select(struct plan *plan, const struct options *options, struct loop *loop,
                            struct mdns_client *mdns, struct ota_failure *search,
                            struct ota_failure *failure);

#endif
