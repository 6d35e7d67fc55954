/*
 * match.h: which boards --match and --board mean. Pure.
 */
#ifndef MATCH_H
#define MATCH_H

#include "boards.h"
#include "options.h"

/* Fills matching with those of all that the options mean; with only_espota without those that speak
 * another protocol. Its items belong to all: free(matching->items) is all that is to be freed, in
 * any case. Fails with OTA_E_NOT_FOUND when there are none, or OTA_E_INTERNAL. */
enum ota_error match_boards(struct boards *matching, const struct boards *all,
                            const struct options *options, bool only_espota,
                            struct ota_failure *failure);

#endif
