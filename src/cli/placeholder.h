/*
 * placeholder.h: values that the caller of this program should have filled in: the Arduino IDE
 * leaves "{upload.port.properties.port}" on the command line, PlatformIO "$UPLOAD_FLAGS". Pure.
 */
#ifndef ESP_OTA_CLI_PLACEHOLDER_H
#define ESP_OTA_CLI_PLACEHOLDER_H

/* Returns who left text unfilled, as the subject of a sentence ("PlatformIO"), or NULL if text is
 * no placeholder. All of text has to be one: a password may contain anything. */
const char *placeholder_caller(const char *text);

#endif
