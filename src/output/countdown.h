/*
 * countdown.h: the live line of a wait.
 */
#ifndef ESP_OTA_OUTPUT_COUNTDOWN_H
#define ESP_OTA_OUTPUT_COUNTDOWN_H

#include "base/units.h"

#include <stddef.h>
#include <stdint.h>

/* How often the line is to be drawn. */
enum { COUNTDOWN_TICK_US = SECONDS(1) };

enum { COUNTDOWN_TEXT_MAX = 80 };

/* Writes "waiting for WHAT, 1:05 left", or where that does not fit into width columns (0: any),
 * "1:05 left". A negative time counts as none. Returns text. Pure. */
const char *countdown_text(char text[COUNTDOWN_TEXT_MAX], const char *what, int64_t left_us,
                           size_t width);

/* Draws it at the bottom of the terminal behind standard error, in its width. */
void countdown_draw(const char *what, int64_t left_us);

#endif
