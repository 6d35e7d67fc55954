/*
 * handshake_wraps.h: replacements for the socket, the listener and the work queue of the handshake,
 * at link time (--wrap). Each test defines them for its own world.
 */
#ifndef HANDSHAKE_WRAPS_H
#define HANDSHAKE_WRAPS_H

#include "base/work_queue.h"
#include "net/listener.h"
#include "net/udp.h"

uint16_t __wrap_listener_port(const struct listener *listener);
const struct address *__wrap_listener_stranger(const struct listener *listener, int64_t since_us);
const struct address *__wrap_listener_board(const struct listener *listener, int64_t since_us);
int __wrap_listener_trouble(const struct listener *listener);
int __wrap_listener_empty(struct listener *listener);
void __wrap_work_queue_add(struct work_queue *work_queue, struct work_item *work_item);
void __wrap_work_queue_remove(struct work_queue *work_queue, struct work_item *work_item);
int __wrap_udp_open(struct udp *udp, const struct source *source, const struct address *board);
int __wrap_udp_send(struct udp *udp, const void *data, size_t length);
bool __wrap_udp_receive(struct udp *udp);
bool __wrap_udp_local(const struct udp *udp, struct address *local);
void __wrap_udp_close(struct udp *udp);
int __wrap_source_toward(struct address *own, const struct source *source,
                         const struct address *peer);

#endif
