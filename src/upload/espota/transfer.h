/*
 * transfer.h: the back-channel of one upload, from the accepted connection to the verdict.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_TRANSFER_H
#define ESP_OTA_UPLOAD_ESPOTA_TRANSFER_H

#include "image/image.h"
#include "secrets/echo.h"

#include "base/loop.h"

struct transfer;

struct transfer_config {
    struct loop *loop;
    const char *board;         /* what the user calls it, escaped, for debug lines */
    const struct image *image; /* must outlive the transfer */
    const struct echo *echo;   /* what is not shown of the board's words; NULL: nothing */
    size_t block; /* lock-step: bytes to send before the board's next number; 0: stream */
};

struct transfer_callbacks {
    /* acknowledged bytes have reached the board's TCP; at most ten times a second, and at the end
     */
    void (*on_progress)(size_t acknowledged, void *userdata);
    /* The end, once, never from within transfer_start(): OTA_OK when the board confirmed after it
     * had the whole image; OTA_E_BOARD with its reason; OTA_E_LOST, OTA_E_STALLED or
     * OTA_E_EARLY_OK before the last byte was sent; OTA_E_UNKNOWN after it. */
    void (*on_done)(const struct ota_failure *failure, void *userdata);
    void *userdata;
};

/* Takes over descriptor and starts to send at once: an ESP32 hangs up when the first byte takes a
 * second. NULL when memory ran out (descriptor is then closed). */
struct transfer *transfer_start(const struct transfer_config *config, int fd,
                                const struct transfer_callbacks *callbacks);

/* Closes the connection in full (never half: an ESP8266 that sees FIN with data unread says nothing
 * more and installs the image all the same). Not from within on_progress. */
void transfer_free(struct transfer *transfer);

/* Whether every byte has left this host: without a verdict the outcome is then unknown. */
bool transfer_all_sent(const struct transfer *transfer);
/* Whether the board's TCP has acknowledged every byte: what is left is to wait for the verdict. */
bool transfer_all_acknowledged(const struct transfer *transfer);

#endif
