/*
 * upload_settings.h: the settings of the uploads of one command.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_UPLOAD_SETTINGS_H
#define ESP_OTA_UPLOAD_ESPOTA_UPLOAD_SETTINGS_H

#include "base/address.h"
#include "esp-ota/command.h"
#include "net/source.h"

#include <stdint.h>

struct upload_settings {
    enum ota_command command; /* -s */
    bool has_source;          /* -I */
    struct source source;
    uint16_t port_first; /* -P: the TCP ports to listen on; 0, 0: any free port */
    uint16_t port_last;
    bool peer_any; /* --peer any */
    bool has_peer; /* --peer ADDRESS */
    struct address peer;
    bool md5_target;    /* -m */
    int64_t timeout_us; /* -t: limit until the board accepts; duration of a search */
    bool force;         /* --force: send an unsuitable image nevertheless */
    bool lockstep;      /* lock-step from the first attempt on */
    unsigned block;     /* --block, in bytes; 0: chosen for the image */
};

#endif
