/*
 * absence.h: the sentence about a board that answered at none of the places where it was looked
 * for. Pure.
 */
#ifndef ABSENCE_H
#define ABSENCE_H

#include "candidates.h"
#include "esp-ota.h"

/* Says what became of the candidates that were tried, or of the one that the board is known to be
 * at, in seconds: "no answer from A to 3
 * invitations in 10 s; nothing listens at B and C". said follows where something answered that was
 * not understood: "" or ", at first ...", escaped. Returns the error that this amounts to. */
enum ota_error absence_describe(char text[OTA_MESSAGE_MAX], const struct candidates *candidates,
                                double seconds, const char *said);

#endif
