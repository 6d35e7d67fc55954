/*
 * espota_settings.h: the settings that only uploads by ArduinoOTA know.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_ESPOTA_SETTINGS_H
#define ESP_OTA_UPLOAD_ESPOTA_ESPOTA_SETTINGS_H

#include "base/address.h"

#include <stdint.h>

struct espota_settings {
    uint16_t port_first; /* -P: the TCP ports to listen on; 0, 0: any free port */
    uint16_t port_last;
    bool peer_any; /* --peer any */
    bool has_peer; /* --peer ADDRESS */
    struct address peer;
    bool md5_target; /* -m */
    bool lockstep;   /* lock-step from the first attempt on */
    unsigned block;  /* --block, in bytes; 0: chosen for the image */
};

#endif
