/*
 * handshake.h: the UDP half of an upload: invitation, authentication, and the wait for the board's
 * connection.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_H
#define ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_H

#include "esp-ota/error.h"
#include "esp-ota/event.h"
#include "upload/espota/session.h"

struct handshake;

/* See struct upload_callbacks. on_failed is called once, from the loop. */
struct handshake_callbacks {
    ota_event_fn *on_event;
    void (*on_endpoint)(size_t endpoint, void *userdata);
    void (*on_password)(void *userdata);
    void (*on_failed)(const struct ota_failure *failure, void *userdata);
    void *userdata;
};

/* Invites the board. config must outlive the handshake. Returns NULL when memory ran out. */
struct handshake *handshake_start(const struct session_config *config,
                                  const struct handshake_callbacks *callbacks);
void handshake_set_password(struct handshake *handshake, const char *password);

/* A connection came from the address peer. Returns true if the board may have accepted the upload,
 * even if its OK was lost; the caller then frees the handshake. Returns false, after a notice, if
 * the board cannot have accepted it; the caller then closes the connection, and the handshake goes
 * on. */
bool handshake_connected(struct handshake *handshake, const struct address *peer);
void handshake_free(struct handshake *handshake);

enum ota_phase handshake_phase(const struct handshake *handshake);

#endif
