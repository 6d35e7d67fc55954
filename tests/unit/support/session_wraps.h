/*
 * session_wraps.h: replacements for a session and the listener, at link time (--wrap). Each test
 * defines those that it needs for its own world.
 */
#ifndef SESSION_WRAPS_H
#define SESSION_WRAPS_H

#include "net/listener.h"
#include "upload/espota/session.h"

struct session *__wrap_session_start(const struct session_config *config,
                                     const struct upload_callbacks *callbacks);
void __wrap_session_free(struct session *session);
enum ota_phase __wrap_session_phase(const struct session *session);
bool __wrap_session_all_sent(const struct session *session);
void __wrap_session_set_password(struct session *session, const char *password);
struct listener *__wrap_listener_open(struct loop *loop, const struct source *source,
                                      uint16_t first, uint16_t last, struct ota_failure *failure);
void __wrap_listener_close(struct listener *listener);
uint16_t __wrap_listener_port(const struct listener *listener);
bool __wrap_listener_is_expecting(const struct listener *listener, const struct address *peer);

#endif
