/*
 * connection.h: an exchange over a TCP connection, from the greeting to the verdict.
 */
#ifndef ESP_OTA_UPLOAD_ESPHOME_CONNECTION_H
#define ESP_OTA_UPLOAD_ESPHOME_CONNECTION_H

#include "base/loop.h"
#include "upload/esphome/exchange.h"

struct connection;

struct connection_callbacks {
    /* From EXCHANGE_ENCRYPTED to EXCHANGE_RECEIVED. Not called from connection_start(). */
    void (*on_event)(enum exchange_event event, const struct exchange *exchange, void *userdata);
    /* Bytes of the content that have reached the board's TCP. At most ten times a second, and at
     * the end. */
    void (*on_progress)(size_t acknowledged, void *userdata);
    /* Once, at the end. OTA_OK only after EXCHANGE_INSTALLED. OTA_E_PASSWORD_NEEDED without a
     * message: after EXCHANGE_NO_PASSWORD. OTA_E_NO_ANSWER before the board was ready; from then on
     * OTA_E_LOST or OTA_E_STALLED, and OTA_E_UNKNOWN once the last byte was sent. Other failures
     * are those of the exchange. The callee may free the connection. */
    void (*on_done)(const struct ota_failure *failure, void *userdata);
    void *userdata;
};

/* Takes over fd, which is connected. answer_us is the limit for the first reply. NULL and errno
 * when memory or watches (loop.h) ran out; fd is closed then. */
struct connection *connection_start(struct loop *loop, int fd, const struct exchange_config *config,
                                    int64_t answer_us,
                                    const struct connection_callbacks *callbacks);

/* Closes the connection, so that the board can serve the next client. Allowed at any time but from
 * within on_event and on_progress. NULL is allowed. */
void connection_free(struct connection *connection);

const struct exchange *connection_exchange(const struct connection *connection);
/* Whether every byte of the image has left this host; whether the board's TCP has them all. */
bool connection_all_sent(const struct connection *connection);
bool connection_all_acknowledged(const struct connection *connection);

#endif
