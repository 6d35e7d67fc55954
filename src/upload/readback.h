/*
 * readback.h: finds out from a board's announcement after the restart whether its new firmware
 * runs.
 */
#ifndef ESP_OTA_UPLOAD_READBACK_H
#define ESP_OTA_UPLOAD_READBACK_H

#include "base/loop.h"
#include "discovery/esphome_record.h"
#include "esp-ota/error.h"
#include "image/inspect.h"

#include <stdbool.h>

struct endpoints;
struct mdns_client;
struct readback;
struct upload_settings;

/* Called once, from the loop. failure is OTA_OK with the board's versions as a part of a sentence;
 * OTA_E_UNPROVEN if they cannot be the image's, or are not those of --expect-version; or
 * OTA_E_NOT_FOUND if no announcement came, without --expect-version. is_proven: the announcement
 * has changed and is what it should be. */
typedef void readback_done_fn(const struct ota_failure *failure, bool is_proven, void *userdata);

/* Everything must outlive the readback. */
struct readback_config {
    struct loop *loop;
    struct mdns_client *mdns;
    const struct upload_settings *settings; /* which version is expected, and for how long */
    /* The board was seen to restart, and the caller knows what became of the upload. Otherwise it
     * has just confirmed the upload, which a failure then says. */
    bool has_returned;
    const char *instance;                /* escaped */
    const struct endpoints *endpoints;   /* of the upload: other boards may have the same name */
    const struct esphome_record *before; /* what the board announced before the upload */
    const struct inspect_esphome *image; /* what was sent */
    readback_done_fn *on_done;
    void *userdata;
};

/* Fails with OTA_E_USAGE: --expect-version is given, but no announcement was seen before the
 * upload. */
void readback_fail_unseen(struct ota_failure *failure);

/* NULL when memory ran out. */
struct readback *readback_start(const struct readback_config *config);
/* Allowed at any time, also from on_done. */
void readback_free(struct readback *readback);

#endif
