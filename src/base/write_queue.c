/*
 * write_queue.c: see write_queue.h.
 *
 * O_NONBLOCK belongs to the open file, which other programs may share, so it is never set. A write
 * to a pipe that poll(2) reports as writable does not wait if it has at most PIPE_BUF bytes. A
 * terminal may have room for fewer, so it is opened once more, with O_NONBLOCK.
 */
#include "base/write_queue.h"

#include "base/same_file.h"
#include "base/stdio_guard.h"
#include "base/terminal.h"
#include "base/units.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void on_rested(void *userdata);

static void start_for_terminal(struct write_queue *queue, struct loop *loop,
                               struct write_queue *other)
{
    if (other && other->loop && terminal_is_same(queue->fd, other->fd)) {
        queue->joined = other;
        return;
    }

    int again = terminal_open_again(queue->fd);
    if (again < 0)
        return;
    queue->given_fd = queue->fd;
    queue->fd = again;
    queue->is_opened_again = true;
    queue->loop = loop;
}

void write_queue_start(struct write_queue *queue, struct loop *loop, struct write_queue *other)
{
    struct stat file, others;

    loop_timer_init(&queue->rest, loop, on_rested, queue);
    if (isatty(queue->fd)) {
        start_for_terminal(queue, loop, other);
        return;
    }

    if (fstat(queue->fd, &file) < 0 || !(S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode)))
        return;
    if (other && other->loop && fstat(other->fd, &others) == 0 && same_file(&others, &file))
        queue->joined = other;
    else
        queue->loop = loop;
}

/* Whole lines if there are any, as other programs may write to the same pipe. */
static size_t next_piece(const struct write_queue *queue)
{
    const char *piece = queue->bytes + queue->start;
    size_t max = queue->length < PIPE_BUF ? queue->length : PIPE_BUF, size = max;

    while (size > 0 && piece[size - 1] != '\n')
        size--;
    return size > 0 ? size : max;
}

/* Returns 0 or errno: ETIMEDOUT if fd took nothing for patience_ms, EAGAIN if a terminal has less
 * room than it needs for the first character, or another writer was faster. */
static int write_piece(struct write_queue *queue, int patience_ms)
{
    if (!stdio_guard_takes(queue->fd, patience_ms))
        return errno;

    ssize_t count = write(queue->fd, queue->bytes + queue->start, next_piece(queue));
    if (count < 0)
        return errno == EINTR ? 0 : errno;
    queue->start += (size_t)count;
    queue->length -= (size_t)count;
    return 0;
}

/* Whether fd may take more later. */
static bool is_held(int error)
{
    return error == ETIMEDOUT || error == EINTR || error == EAGAIN;
}

/* Waits until at most max bytes are left. */
static int shorten(struct write_queue *queue, size_t max)
{
    int error = 0;

    while (!error && queue->length > max) {
        error = write_piece(queue, STDIO_GUARD_PATIENCE_MS);
        if (error == EAGAIN)
            error = stdio_guard_rest();
    }
    return error;
}

static int keep_error(struct write_queue *queue, int error)
{
    queue->error = error;
    if (error || queue->length == 0) {
        loop_watch_stop(&queue->watch);
        loop_timer_stop(&queue->rest);
        queue->start = queue->length = 0;
    }
    return error;
}

static void on_rested(void *userdata)
{
    struct write_queue *queue = userdata;

    loop_watch_change(&queue->watch, LOOP_WRITABLE);
}

/* A terminal that is ready and yet has no room would be ready in each turn of the loop. */
static void on_writable(unsigned events, void *userdata)
{
    struct write_queue *queue = userdata;
    const int error = write_piece(queue, 0);

    (void)events;
    if (error == EAGAIN) {
        loop_watch_change(&queue->watch, 0);
        loop_timer_start(&queue->rest, MILLISECONDS(STDIO_GUARD_REST_MS));
    }
    keep_error(queue, is_held(error) ? 0 : error);
}

/* Leaves what fd does not take now to the loop. */
static int write_on(struct write_queue *queue)
{
    int error = 0;

    if (queue->watch.loop)
        return 0;
    while (!error && queue->length > 0)
        error = write_piece(queue, 0);
    if (!is_held(error))
        return error;
    return loop_watch_start(&queue->watch, queue->loop, queue->fd, LOOP_WRITABLE, on_writable,
                            queue) == 0
               ? 0
               : shorten(queue, 0);
}

static int append(struct write_queue *queue, const void *data, size_t size)
{
    int error = shorten(queue, WRITE_QUEUE_MAX - size);
    if (error)
        return error;

    if (queue->start + queue->length + size > WRITE_QUEUE_MAX) {
        memmove(queue->bytes, queue->bytes + queue->start, queue->length);
        queue->start = 0;
    }
    memcpy(queue->bytes + queue->start + queue->length, data, size);
    queue->length += size;
    return write_on(queue);
}

int write_queue_put(struct write_queue *queue, const void *data, size_t size)
{
    if (queue->joined)
        queue = queue->joined;
    if (queue->error || size == 0) /* data may be NULL then */
        return queue->error;
    if (queue->loop && !queue->bytes)
        queue->bytes = malloc(WRITE_QUEUE_MAX);
    if (queue->loop && queue->bytes && size <= WRITE_QUEUE_MAX)
        return keep_error(queue, append(queue, data, size));

    int error = shorten(queue, 0);
    if (!error)
        error = stdio_guard_write(queue->fd, data, size, STDIO_GUARD_PATIENCE_MS);
    return keep_error(queue, error);
}

bool write_queue_has_room(const struct write_queue *queue)
{
    const struct write_queue *used = queue->joined ? queue->joined : queue;

    return used->length < WRITE_QUEUE_MAX / 2;
}

bool write_queue_is_ready(const struct write_queue *queue)
{
    const struct write_queue *used = queue->joined ? queue->joined : queue;

    return used->length == 0 && stdio_guard_takes(used->fd, 0);
}

int write_queue_end(struct write_queue *queue)
{
    if (queue->joined)
        queue = queue->joined;
    if (!queue->error)
        keep_error(queue, shorten(queue, 0));
    free(queue->bytes);
    queue->bytes = NULL;
    queue->loop = NULL;
    if (queue->is_opened_again) {
        close(queue->fd);
        queue->fd = queue->given_fd;
        queue->is_opened_again = false;
    }
    return queue->error;
}
