/*
 * absence.h: describes a board that answered at none of its endpoints. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_ABSENCE_H
#define ESP_OTA_UPLOAD_ESPOTA_ABSENCE_H

#include "esp-ota/error.h"
#include "upload/espota/candidates.h"

/* Describes the outcome for the candidates that were tried, or for the board's own one if it is
 * known: "no answer from A to 3 invitations in 10 s; nothing listens at B and C". said is appended
 * to an outcome with foreign datagrams: "" or ", at first ...", escaped. Returns the error. */
enum ota_error absence_describe(char text[OTA_MESSAGE_MAX], const struct candidates *candidates,
                                double seconds, const char *said);

/* Why datagrams to the board do not leave or arrive, by the errno. */
const char *absence_network_error(const struct address *board, int reason);

#endif
