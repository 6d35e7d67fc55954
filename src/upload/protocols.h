/*
 * protocols.h: the table of all protocols. Adding one is a folder beside upload/espota, a
 * declaration here and a row in protocols.c.
 */
#ifndef ESP_OTA_UPLOAD_PROTOCOLS_H
#define ESP_OTA_UPLOAD_PROTOCOLS_H

#include "upload/upload.h"

/* Each is defined in the folder of its name. */
extern const struct upload_protocol espota_protocol; /* ArduinoOTA */

/* The first one is the default. */
extern const struct upload_protocol *const protocols[];
extern const size_t protocol_count;

/* NULL if there is none of this name. */
const struct upload_protocol *protocols_find(const char *name);

#endif
