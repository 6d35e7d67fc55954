/*
 * command.h: what an image is for, as an invitation says it.
 */
#ifndef ESP_OTA_COMMAND_H
#define ESP_OTA_COMMAND_H

/* The first number of an invitation. The stock boards accept only these two. */
enum ota_command { OTA_COMMAND_SKETCH = 0, OTA_COMMAND_FILESYSTEM = 100 };

#endif
