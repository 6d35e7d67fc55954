/*
 * relay.c: two sockets, and a bounded buffer in each direction. A side that does not read stops the
 * other one's reading, so that nothing is lost.
 */
#include "pluggable/relay.h"

#include "base/error.h"
#include "base/units.h"
#include "boardlog/board_log.h"
#include "boardlog/log_escape.h"
#include "boardlog/sgr_strip.h"
#include "boardlog/telnet_strip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_MAX = 4096,
    REASON_MAX = 128,
    FLUSH_US = SECONDS(1), /* for a side to read the rest, after the other one has gone */
};

/* One end, and what waits to be sent to it. */
struct side {
    struct relay *relay;
    struct side *other;
    int fd;
    struct loop_watch watch; /* stopped when the other end has hung up */
    unsigned char data[LOG_ESCAPE_ROOM(READ_MAX + 1 + SGR_STRIP_MAX)];
    size_t begin, end;
};

struct relay {
    struct side board, client;
    bool is_raw;
    struct telnet_strip telnet;
    struct sgr_strip colors;
    struct log_escape escape;
    struct loop_timer settle; /* the board reads no input before */
    struct loop_timer flush;  /* runs once a side has gone */
    bool is_over;             /* a side has gone */
    char reason[REASON_MAX];
    relay_end_fn *on_end;
    void *userdata;
};

static bool is_settled(const struct relay *relay)
{
    return !relay->settle.is_running;
}

/* What has been read is passed on, nothing more is read. */
static void end_relay(struct relay *relay, const char *reason)
{
    if (relay->is_over)
        return;

    relay->is_over = true;
    snprintf(relay->reason, sizeof relay->reason, "%s", reason);
    loop_timer_start(&relay->flush, FLUSH_US);
}

static void describe_end(char reason[REASON_MAX], const struct side *side, int error)
{
    const struct relay *relay = side->relay;
    const bool is_board = side == &relay->board;

    if (error_is_local(error))
        snprintf(reason, REASON_MAX, "the connection to the %s has failed: %s",
                 is_board ? "board" : "IDE", strerror(error));
    else if (!is_board)
        snprintf(reason, REASON_MAX, "the IDE closed the connection");
    else if (!is_settled(relay))
        snprintf(reason, REASON_MAX, "the board hung up at once; it may serve only one client");
    else
        snprintf(reason, REASON_MAX, "the board's log has ended: %s",
                 error_connection_text(error, "the board does not answer any more"));
}

static void end_for(struct side *side, int error)
{
    char reason[REASON_MAX];

    describe_end(reason, side, error);
    end_relay(side->relay, reason);
    side->end = side->begin = 0; /* nobody reads it any more */
    loop_watch_stop(&side->watch);
}

/* Reads from a side whose other one has got everything. */
static void choose_events(struct side *side)
{
    const struct relay *relay = side->relay;
    if (!side->watch.loop)
        return;

    bool is_held = side == &relay->client && !is_settled(relay);
    bool reads = !relay->is_over && side->other->end == 0 && !is_held;

    loop_watch_change(&side->watch,
                      (reads ? LOOP_READABLE : 0U) | (side->end > 0 ? LOOP_WRITABLE : 0U));
}

/* Waits for what can be done next; if nothing is left, on_end() comes later, from the loop. */
static void proceed(struct relay *relay)
{
    if (relay->is_over && relay->board.end == 0 && relay->client.end == 0) {
        loop_watch_stop(&relay->board.watch);
        loop_watch_stop(&relay->client.watch);
        loop_timer_start(&relay->flush, 0);
        return;
    }
    choose_events(&relay->board);
    choose_events(&relay->client);
}

/* Puts what the board has sent into the buffer of the client. */
static void take_log(struct relay *relay, const unsigned char *bytes, size_t length)
{
    struct side *client = &relay->client;
    unsigned char text[READ_MAX + 1], plain[READ_MAX + 1 + SGR_STRIP_MAX];

    if (relay->is_raw) {
        client->end = telnet_strip(&relay->telnet, client->data, bytes, length);
        return;
    }
    length = telnet_strip(&relay->telnet, text, bytes, length);
    length = sgr_strip(&relay->colors, plain, text, length);
    client->end = log_escape(&relay->escape, (char *)client->data, plain, length);
}

/* Returns whether something has come, or the end. */
static bool receive(struct side *side)
{
    struct relay *relay = side->relay;
    unsigned char bytes[READ_MAX];
    ssize_t got = recv(side->fd, bytes, sizeof bytes, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        end_for(side, got == 0 ? 0 : errno);
    } else if (side == &relay->board) {
        take_log(relay, bytes, (size_t)got);
    } else {
        memcpy(relay->board.data, bytes, (size_t)got);
        relay->board.end = (size_t)got;
    }
    return true;
}

static void send_rest(struct side *side)
{
    ssize_t sent = send(side->fd, side->data + side->begin, side->end - side->begin, MSG_NOSIGNAL);

    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (sent < 0) {
        end_for(side, errno);
        return;
    }
    side->begin += (size_t)sent;
    if (side->begin < side->end)
        return;

    side->begin = side->end = 0;
    while (!side->other->watch.loop && !side->relay->is_over && side->end == 0)
        if (!receive(side->other))
            return;
}

static void on_socket(unsigned events, void *userdata)
{
    struct side *side = userdata;

    if (side->end > 0 && events & (LOOP_WRITABLE | LOOP_HUNG_UP))
        send_rest(side);
    if (!side->relay->is_over && side->other->end == 0 && events & (LOOP_READABLE | LOOP_HUNG_UP))
        receive(side);
    else if (events & LOOP_HUNG_UP)
        loop_watch_stop(&side->watch); /* it would be reported forever; send_rest() goes on */
    proceed(side->relay);
}

static void on_settled(void *userdata)
{
    proceed(userdata);
}

static void on_flushed(void *userdata)
{
    struct relay *relay = userdata;

    relay->on_end(relay->reason, relay->userdata);
}

static int add_side(struct relay *relay, struct loop *loop, struct side *side, struct side *other,
                    int fd)
{
    side->relay = relay;
    side->other = other;
    side->fd = fd;
    return loop_watch_start(&side->watch, loop, fd, 0, on_socket, side);
}

struct relay *relay_start(struct loop *loop, int board, int client, bool is_raw,
                          relay_end_fn *on_end, void *userdata)
{
    struct relay *relay = calloc(1, sizeof *relay);
    if (!relay) {
        close(board);
        close(client);
        return NULL;
    }

    relay->is_raw = is_raw;
    relay->on_end = on_end;
    relay->userdata = userdata;
    loop_timer_init(&relay->settle, loop, on_settled, relay);
    loop_timer_init(&relay->flush, loop, on_flushed, relay);
    int rc = add_side(relay, loop, &relay->board, &relay->client, board);
    rc |= add_side(relay, loop, &relay->client, &relay->board, client);
    if (rc < 0) {
        const int reason = errno;

        relay_free(relay);
        errno = reason;
        return NULL;
    }

    board_log_tune(board);
    loop_timer_start(&relay->settle, BOARD_LOG_SETTLE_US);
    proceed(relay);
    return relay;
}

void relay_free(struct relay *relay)
{
    if (!relay)
        return;

    loop_watch_stop(&relay->board.watch);
    loop_watch_stop(&relay->client.watch);
    loop_timer_stop(&relay->settle);
    loop_timer_stop(&relay->flush);
    close(relay->board.fd);
    close(relay->client.fd);
    free(relay);
}
