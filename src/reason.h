/*
 * reason.h: what a board means by the words with which it refuses an image or gives an upload up.
 * Pure.
 */
#ifndef REASON_H
#define REASON_H

#include "esp-ota.h"

/* From the board's words as they are shown: "ERROR[4]: Not Enough Space" of the ESP8266 and Pico W
 * cores, where the number counts, or the bare words of the ESP32 core. OTA_CAUSE_NONE where they
 * mean nothing that is known here. */
enum ota_cause reason_cause(const char *words);

#endif
