/*
 * protocols.h: the table of all protocols. Adding one is a folder beside upload/espota, a
 * declaration here and rows in protocols.c.
 */
#ifndef ESP_OTA_UPLOAD_PROTOCOLS_H
#define ESP_OTA_UPLOAD_PROTOCOLS_H

#include "discovery/target.h"
#include "upload/upload.h"

/* Each is defined in the folder of its name. */
extern const struct upload_protocol espota_protocol;  /* ArduinoOTA */
extern const struct upload_protocol esphome_protocol; /* ESPHome's OTA */
extern const struct upload_protocol sketch_protocol;  /* sketch servers */
extern const struct upload_protocol web_protocol;     /* update pages */

/* The first one is the default; the last one is followed by NULL. */
extern const struct upload_protocol *const protocols[];

/* What may stand before a target, and which protocol it means. */
extern const struct target_schemes protocol_schemes;

/* NULL if there is none of this name. */
const struct upload_protocol *protocols_find(const char *name);

/* The first protocol by which a board that was announced so takes uploads; NULL if there is none,
 * which has the name "other". */
const struct upload_protocol *protocols_for(const struct board *board);
const char *protocols_name_for(const struct board *board);

/* Whether the protocol that knows this setting of a board takes this value. If not, writes why. */
bool protocols_check_own(enum upload_own_key key, const char *value, char why[UPLOAD_OWN_WHY_MAX]);
/* Whether a protocol knows each setting that is set. */
bool protocols_take_own(const struct upload_protocol *protocol, const struct upload_own *own);

/* Writes the names of all: "espota", "espota and web". Returns text. */
const char *protocols_list(char *text, size_t capacity);

#endif
