/*
 * relay.h: passes bytes between the TCP connection to a board's log and the one to an IDE.
 */
#ifndef ESP_OTA_PLUGGABLE_RELAY_H
#define ESP_OTA_PLUGGABLE_RELAY_H

#include "base/loop.h"

#include <stdbool.h>

struct relay;

/* Called once, from the loop, when one of the connections has ended, and what it sent has been
 * passed on. reason is a sentence. The callee may free the relay. */
typedef void relay_end_fn(const char *reason, void *userdata);

/* Takes over both sockets, connected and non-blocking, also on failure. Bytes from the
 * board pass without telnet commands and, unless is_raw, without colors and escaped. Bytes from the
 * IDE pass unchanged. NULL and errno when memory or watches (loop.h) run out. */
struct relay *relay_start(struct loop *loop, int board, int client, bool is_raw,
                          relay_end_fn *on_end, void *userdata);

/* Closes both connections. Allowed at any time. NULL is ignored. */
void relay_free(struct relay *relay);

#endif
