/*
 * totals.h: where a fleet and its boards stand.
 */
#ifndef ESP_OTA_TOTALS_H
#define ESP_OTA_TOTALS_H

#include "esp-ota/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a fleet stands. */
struct ota_totals {
    size_t boards;
    size_t running;  /* those that rest between two attempts do not count */
    size_t retrying; /* rest between two attempts, or are queued for the next one */
    size_t resumed;  /* have the image by an earlier run; these are skipped, sooner or later */
    size_t confirmed;
    size_t failed;
    size_t skipped;
    size_t bytes; /* acknowledged by all boards together */
    size_t total; /* to be sent to all boards that are not skipped */
    bool is_open; /* further boards may come: --serve */
};

/* What the work on a board is about. */
enum ota_doing {
    OTA_DOING_UPLOAD,
    OTA_DOING_PASSWORD, /* waits for the user to type it, or for another board to accept it */
    OTA_DOING_RETRY,    /* rests between two attempts, or is queued for the next one */
    OTA_DOING_LOG,      /* has its outcome, and the log is still followed */
};

/* Where a board stands. Valid only during the call that tells it; strings are escaped. */
struct ota_standing {
    const char *board;
    enum ota_doing doing;
    enum ota_phase phase;
    unsigned attempt, attempts; /* the number of this attempt, and how many there may be */
    unsigned next_attempt;      /* in a pause: the number of the next one; 0: it is not counted */
    int64_t pause_left_us;      /* until then */
    enum ota_phase ended_in;    /* where the last attempt ended */
    const char *reason;         /* and how; "": there was none, or it did not fail */
    size_t bytes;               /* acknowledged in this attempt */
    size_t total;
    int64_t transfer_us;  /* since the connection was accepted */
    bool is_waited_for;   /* by --wait: the board has not been there yet */
    int64_t wait_left_us; /* then: of --wait */
};
typedef void ota_standing_fn(const struct ota_standing *standing, void *userdata);

#endif
