/*
 * board_select.h: the boards that announce themselves and are to be updated: all of them, those whose
 * name or kind fits, or those that somebody chooses.
 */
#ifndef ESP_OTA_CLI_BOARD_SELECT_H
#define ESP_OTA_CLI_BOARD_SELECT_H

#include "base/loop.h"
#include "fleet/plan.h"

/* Looks for the boards and adds them to the plan; runs the loop meanwhile, for -t at most, or as
 * long as --wait says if there are none. Fails with OTA_E_NOT_FOUND (the message says which boards
 * there are), OTA_E_USAGE when nobody chooses, OTA_E_INTERNAL. */
enum ota_error board_select(struct plan *plan, struct loop *loop, struct mdns_client *mdns,
                            struct ota_failure *failure);

#endif
