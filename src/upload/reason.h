/*
 * reason.h: finds the cause in the message of a board that refuses an image or aborts an upload.
 * Pure.
 */
#ifndef ESP_OTA_UPLOAD_REASON_H
#define ESP_OTA_UPLOAD_REASON_H

#include "esp-ota/error.h"

/* words is the board's message, escaped. The ESP8266 and Pico W cores send "ERROR[4]: Not Enough
 * Space", of which only the number counts. The ESP32 core sends only words. Returns OTA_CAUSE_NONE
 * for an unknown message. */
enum ota_cause reason_cause(const char *words);

#endif
