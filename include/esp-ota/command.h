/*
 * command.h: what an image is for, as an invitation says it.
 */
#ifndef ESP_OTA_COMMAND_H
#define ESP_OTA_COMMAND_H

/* The first number of an invitation. The stock boards accept only the first two. The third exists
 * only in invitations: it means a filesystem image, too, to services that are built with the newer
 * numbers of arduino-esp32 (U_SPIFFS, pull request 11856), and those ignore 100. */
enum ota_command { OTA_COMMAND_SKETCH = 0, OTA_COMMAND_FILESYSTEM = 100, OTA_COMMAND_SPIFFS = 101 };

#endif
