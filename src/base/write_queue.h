/*
 * write_queue.h: what a pipe, socket or terminal does not take at once waits in memory while the
 * loop goes on. A reader that pauses (less, a full disk behind tee, Ctrl-S) would hold the loop in
 * write(2) otherwise, and boards in the middle of an upload would hang up.
 */
#ifndef ESP_OTA_BASE_WRITE_QUEUE_H
#define ESP_OTA_BASE_WRITE_QUEUE_H

#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>

enum { WRITE_QUEUE_MAX = 1 << 20 };

/* All zero but fd before the first use; fd must not be closed before write_queue_end(). The other
 * fields belong to write_queue.c. */
struct write_queue {
    int fd;
    struct loop *loop;          /* NULL: nothing is queued */
    struct write_queue *joined; /* the queue of the same reader, used instead; NULL: none */
    bool is_opened_again;       /* fd is a second one of the terminal, until the end */
    int given_fd;               /* what fd was before */
    struct loop_watch watch;
    struct loop_timer rest; /* runs while the watch waits for errors only */
    char *bytes;            /* WRITE_QUEUE_MAX; NULL: not needed yet */
    size_t start, length;
    int error; /* an errno: what failed first */
};

/* Queues from now on, in this loop. Without effect if fd is a file, which never waits, or a
 * terminal that cannot be opened again (terminal_open_again()). If other is queued and has the same
 * pipe (2>&1) or terminal, it takes what this one is given, so that the order stays; it must
 * outlast this one. NULL: there is no other. The descriptor may be in blocking mode. */
void write_queue_start(struct write_queue *queue, struct loop *loop, struct write_queue *other);

/* Writes size bytes, or queues what fd does not take now. If they are not to be queued, or the
 * queue is full, or memory has run out, waits as stdio_guard_write() does. Returns 0 or the errno
 * of the first failure, also of one in the loop. Nothing is written after a failure. */
int write_queue_put(struct write_queue *queue, const void *data, size_t size);

/* Whether less than half of the queue waits. A source of much text is not read on without room: the
 * rest is for messages, and for what one read brings. */
bool write_queue_has_room(const struct write_queue *queue);

/* Whether fd would take what is put now. */
bool write_queue_is_ready(const struct write_queue *queue);

/* Writes what is queued, waiting as stdio_guard_write() does, and queues nothing from then on, nor
 * does a joined queue. Must be called before the loop is freed; may be called again. Returns as
 * write_queue_put(). */
int write_queue_end(struct write_queue *queue);

#endif
