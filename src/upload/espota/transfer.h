/*
 * transfer.h: the back-channel of one upload, from the accepted connection to the verdict.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_TRANSFER_H
#define ESP_OTA_UPLOAD_ESPOTA_TRANSFER_H

#include "base/loop.h"
#include "esp-ota/error.h"
#include "image/image.h"
#include "secrets/echo.h"

struct source;
struct transfer;

struct transfer_config {
    struct loop *loop;
    const char *board;           /* the user's name for the board, escaped, for debug lines */
    const struct image *image;   /* must outlive the transfer */
    const struct source *source; /* -I; must outlive the transfer */
    struct echo *echo; /* answers that must not be shown if the board repeats them; NULL: none */
    size_t block;      /* lock-step: bytes to send per number from the board; 0: stream */
};

struct transfer_callbacks {
    /* acknowledged is the number of bytes that have reached the board's TCP. Called at most ten
     * times a second, and at the end. */
    void (*on_progress)(size_t acknowledged, void *userdata);
    /* Called once, at the end, never from within transfer_start(). The error is OTA_OK if the board
     * confirmed after it had the whole image; OTA_E_BOARD with its reason; OTA_E_LOST,
     * OTA_E_STALLED or OTA_E_EARLY_OK before the last byte was sent; OTA_E_UNKNOWN after it. */
    void (*on_done)(const struct ota_failure *failure, void *userdata);
    void *userdata;
};

/* Takes over fd and starts to send at once, as an ESP32 waits only a second for the first byte.
 * Returns NULL and errno when memory or watches (loop.h) ran out; fd is closed then. */
struct transfer *transfer_start(const struct transfer_config *config, int fd,
                                const struct transfer_callbacks *callbacks);

/* Closes the connection. It is never half-closed: an ESP8266 that gets a FIN while data is unread
 * sends no verdict, but still installs the image. Not allowed from within on_progress. */
void transfer_free(struct transfer *transfer);

/* Whether every byte has left this host. If so, the outcome without a verdict is unknown. */
bool transfer_all_sent(const struct transfer *transfer);
/* Whether the board's TCP has acknowledged every byte. If so, only the verdict is missing. */
bool transfer_all_acknowledged(const struct transfer *transfer);

#endif
