/*
 * reason.h: the cause behind a board's words when it refuses an image or aborts an upload. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_REASON_H
#define ESP_OTA_UPLOAD_ESPOTA_REASON_H

#include "esp-ota.h"

/* From the board's words as they are shown: "ERROR[4]: Not Enough Space" of the ESP8266 and Pico W
 * cores, where the number counts, or the bare words of the ESP32 core. OTA_CAUSE_NONE if they
 * are unknown. */
enum ota_cause reason_cause(const char *words);

#endif
