/*
 * service.h: the DNS-SD services by which boards announce themselves. Adding one is an enumerator
 * and a row; the protocols say which of them they serve.
 */
#ifndef ESP_OTA_DISCOVERY_SERVICE_H
#define ESP_OTA_DISCOVERY_SERVICE_H

#include "discovery/txt_record.h"

#include <stdbool.h>
#include <stdint.h>

enum service {
    SERVICE_ARDUINO, /* ArduinoOTA, and sketch servers */
    SERVICE_WLED,
    SERVICE_TASMOTA,
    SERVICE_ESPHOME, /* the port is that of its API */
    SERVICE_COUNT
};

/* Sets of services: a bit for each. */
enum {
    SERVICES_ARDUINO = 1 << SERVICE_ARDUINO,
    SERVICES_ESPHOME = 1 << SERVICE_ESPHOME,
    SERVICES_WEB = 1 << SERVICE_WLED | 1 << SERVICE_TASMOTA,
    SERVICES_ALL = (1 << SERVICE_COUNT) - 1,
};

/* The type without the domain: "_arduino._tcp". */
const char *service_type(enum service service);

/* What its boards have, in words: "ArduinoOTA". */
const char *service_title(enum service service);

/* Whether others than boards announce this type: an instance is a board only if its TXT record says
 * so, and before it is resolved nothing is known. */
bool service_is_shared(enum service service);

/* Whether an instance with this TXT record is a board; always true if the type is not shared. */
bool service_is_board(enum service service, const AvahiStringList *record);

/* Whether the announced port takes uploads. */
bool service_tells_port(enum service service);

#endif
