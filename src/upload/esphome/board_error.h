/*
 * board_error.h: the bytes by which ESPHome's OTA service ends an exchange. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ESPHOME_BOARD_ERROR_H
#define ESP_OTA_UPLOAD_ESPHOME_BOARD_ERROR_H

#include "esp-ota/error.h"

#include <stdbool.h>

/* Whether this byte, where a reply is expected, is an error. */
bool board_error_is(unsigned char byte);

/* Stores the failure that the byte means. is_accepted: the board has taken size and MD5 of the
 * image, so the error is one of the upload itself (OTA_E_BOARD), and no refusal. */
void board_error_tell(struct ota_failure *failure, unsigned char byte, bool is_accepted);

#endif
