/*
 * esphome_record.h: what ESPHome says of a board in the TXT record of _esphomelib._tcp. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_ESPHOME_RECORD_H
#define ESP_OTA_DISCOVERY_ESPHOME_RECORD_H

#include <avahi-common/strlst.h>
#include <stdbool.h>

enum { ESPHOME_WORD_MAX = 32, ESPHOME_PROJECT_MAX = 64 };

/* As it came from the network: escape it before it is shown. "" is unknown. */
struct esphome_record {
    char version[ESPHOME_WORD_MAX];            /* ESPHome's: "2026.9.0" */
    char platform[ESPHOME_WORD_MAX];           /* "ESP8266", "ESP32", "RP2040" ... */
    char config_hash[ESPHOME_WORD_MAX];        /* of the YAML, 8 digits */
    char project[ESPHOME_PROJECT_MAX];         /* "acme.lamp" */
    char project_version[ESPHOME_PROJECT_MAX]; /* "1.2" */
    bool is_encrypted;                         /* its API has a key, which uploads use, too */
};

void esphome_record_read(struct esphome_record *esphome, const AvahiStringList *record);

#endif
