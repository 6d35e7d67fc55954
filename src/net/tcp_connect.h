/*
 * tcp_connect.h: one attempt to connect to an address over TCP, with a deadline.
 */
#ifndef ESP_OTA_NET_TCP_CONNECT_H
#define ESP_OTA_NET_TCP_CONNECT_H

#include "base/address.h"
#include "base/loop.h"
#include "esp-ota/error.h"

#include <stdint.h>

struct source;
struct tcp_connect;

/* Called once, from the loop. fd is connected, non-blocking and the callee's; or it is -1, and
 * reason is the errno (ETIMEDOUT: the deadline has passed). The callee may free the attempt. */
typedef void tcp_connect_done_fn(int fd, int reason, void *userdata);

/* Starts an attempt from source, which ends after deadline_us at the latest. NULL when memory ran
 * out. */
struct tcp_connect *tcp_connect_start(struct loop *loop, const struct address *address,
                                      const struct source *source, int64_t deadline_us,
                                      tcp_connect_done_fn *on_done, void *userdata);
/* The same for an upload: without pacing (tcp_tune.h). */
struct tcp_connect *tcp_connect_upload(struct loop *loop, const struct address *address,
                                       const struct source *source, int64_t deadline_us,
                                       tcp_connect_done_fn *on_done, void *userdata);
/* Allowed at any time, and needed also after on_done. */
void tcp_connect_free(struct tcp_connect *attempt);

/* Fills in failure: why there is no connection to place ("lamp.local, TCP port 80"), by the errno
 * with which an attempt ended, or ETIMEDOUT after deadline_us. */
void tcp_connect_fail(struct ota_failure *failure, int reason, const char *place,
                      int64_t deadline_us);

#endif
