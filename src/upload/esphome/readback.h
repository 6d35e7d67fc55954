/*
 * readback.h: finds out from a board's announcement after the restart whether its new firmware
 * runs.
 */
#ifndef ESP_OTA_UPLOAD_ESPHOME_READBACK_H
#define ESP_OTA_UPLOAD_ESPHOME_READBACK_H

#include "base/loop.h"
#include "discovery/esphome_record.h"
#include "esp-ota/error.h"
#include "image/inspect.h"

#include <stdbool.h>
#include <stdint.h>

struct mdns_client;
struct readback;

/* Called once, from the loop. failure is OTA_OK with the board's versions as a part of a sentence,
 * OTA_E_UNPROVEN if they cannot be the image's, or OTA_E_NOT_FOUND if no announcement came.
 * is_proven: the announcement has changed and fits the image. */
typedef void readback_done_fn(const struct ota_failure *failure, bool is_proven, void *userdata);

/* Everything must outlive the readback. */
struct readback_config {
    struct loop *loop;
    struct mdns_client *mdns;
    const char *instance;                /* escaped */
    const struct esphome_record *before; /* what the board announced before the upload */
    const struct inspect_esphome *image; /* what was sent */
    /* For the announcement to change; an older one may be remembered until then. */
    int64_t limit_us;
    readback_done_fn *on_done;
    void *userdata;
};

/* NULL when memory ran out. */
struct readback *readback_start(const struct readback_config *config);
/* Allowed at any time, also from on_done. */
void readback_free(struct readback *readback);

#endif
