/*
 * serve_settings.h: where and for how long boards are served.
 */
#ifndef ESP_OTA_SERVE_SERVE_SETTINGS_H
#define ESP_OTA_SERVE_SERVE_SETTINGS_H

#include "base/address.h"

#include <stdbool.h>
#include <stdint.h>

struct serve_settings {
    bool is_wanted;           /* --serve */
    struct address address;   /* its port may be 0: any */
    int64_t for_us;           /* --serve-for; 0: without end */
    unsigned until_confirmed; /* --until-confirmed; 0: without end */
    char *version;            /* --serve-version; NULL: the image has none */
    char *certificate, *key;  /* --tls-cert, --tls-key: paths; NULL: no TLS */
};

#endif
