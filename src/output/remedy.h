/*
 * remedy.h: what to do about a failure, by what is known of it. One table; pure.
 */
#ifndef ESP_OTA_OUTPUT_REMEDY_H
#define ESP_OTA_OUTPUT_REMEDY_H

#include "base/surroundings.h"
#include "esp-ota.h"

/* The remedy for this failure of this command, on a board with one of these chips (a set as in
 * kind.h; "" if unknown), where this program runs: one sentence, or "" if the failure's own message
 * says what to do. */
const char *remedy_find(const struct ota_failure *failure, enum ota_command command,
                        const char *chips, enum surroundings where);

/* How many rows the table has; its test has a case for each. */
extern const size_t remedy_count;

#endif
