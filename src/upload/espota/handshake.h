/*
 * handshake.h: the UDP half of an upload: invitation, authentication, and the wait for the board's
 * connection. session.c is its only user.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_H
#define ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_H

#include "upload/espota/session.h"

struct handshake;

/* As in struct session_callbacks; on_failed is called once, from the loop. */
struct handshake_callbacks {
    ota_event_fn *on_event;
    void (*on_endpoint)(size_t endpoint, void *userdata);
    void (*on_password)(void *userdata);
    void (*on_failed)(const struct ota_failure *failure, void *userdata);
    void *userdata;
};

/* Invites the board. config must outlive it. NULL when memory ran out. */
struct handshake *handshake_start(const struct session_config *config,
                                  const struct handshake_callbacks *callbacks);
void handshake_set_password(struct handshake *handshake, const char *password);

/* A connection from the address peer. True where the board may have accepted, also if its OK was
 * lost: the caller frees the handshake next. False where it cannot, which is noted: the connection
 * gets nothing, and the handshake goes on. */
bool handshake_connected(struct handshake *handshake, const struct address *peer);
void handshake_free(struct handshake *handshake);

enum ota_phase handshake_phase(const struct handshake *handshake);

#endif
