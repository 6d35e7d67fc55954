/*
 * remedy.h: the table of remedies: how a user can mend a failure. Pure.
 */
#ifndef ESP_OTA_OUTPUT_REMEDY_H
#define ESP_OTA_OUTPUT_REMEDY_H

#include "base/surroundings.h"
#include "esp-ota/command.h"
#include "esp-ota/error.h"

/* Returns the remedy for a failure of this command, by this protocol (upload/protocols.h; NULL:
 * none yet), on a board with one of these chips (a set as in image/kind.h; "" if unknown), in these
 * surroundings of the program. It is one sentence, or "" if
 * the message of the failure already contains the remedy. */
const char *remedy_find(const struct ota_failure *failure, const char *protocol,
                        enum ota_command command, const char *chips, enum surroundings where);

/* Returns a sentence on how boards get to a server in these surroundings, whose addresses they
 * cannot reach; "" if they can. */
const char *remedy_serving(enum surroundings where);

/* The number of rows in the table. The unit test has a case for each. */
extern const size_t remedy_count;

#endif
