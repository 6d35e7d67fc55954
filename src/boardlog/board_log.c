/*
 * board_log.c: keeps a TCP connection to a board's log, across the board's restarts, and reads
 * lines from it.
 *
 *   waiting --pause over--> connecting --connected--> connected (settles after 150 ms)
 *      ^                        |                         |
 *      +--------- failed -------+---- ended, or silent ---+
 *
 * Sketches offer their log with libraries such as TelnetStream, ESPTelnet and RemoteDebug. These
 * send plain bytes and serve one client or a few. They discard all input of the first moments as
 * telnet negotiation, so nothing is sent before the connection has settled.
 */
#include "boardlog/board_log.h"

#include "base/error.h"
#include "base/loop.h"
#include "base/units.h"
#include "boardlog/sgr_strip.h"
#include "boardlog/telnet_strip.h"
#include "net/tcp_connect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_MAX = 512,      /* each byte may be a line, and get hundreds of bytes put before it */
    READS_PER_TURN = 64, /* a flood from one board must not starve the others */
    KEEP_ALIVE_IDLE_S = 2,
    KEEP_ALIVE_INTERVAL_S = 1,
    KEEP_ALIVE_COUNT = 3,
};

static const int64_t CONNECT_US = SECONDS(2);
static const int64_t SHORTEST_PAUSE_US = MILLISECONDS(200);
static const int64_t LONGEST_PAUSE_US = SECONDS(2);
static const int64_t UNFINISHED_US = MILLISECONDS(200);
static const int64_t LOOK_FOR_ROOM_US = MILLISECONDS(50);

/* For the lines of a turn. A line may be such that each --expect takes 8 ms to look at it, and
 * other boards hang up on a loop that does so for a second. */
static const int64_t TURN_US = MILLISECONDS(10);

struct board_log {
    struct loop *loop;
    const struct source *source;
    struct address addresses[BOARD_LOG_ADDRESSES_MAX];
    size_t address_count, current; /* current: index of the one in use */
    struct board_log_callbacks callbacks;
    int state;     /* the last one that on_state was called with; -1: none yet */
    bool is_local; /* its errno was this computer's own trouble */
    int64_t pause_us;
    struct tcp_connect *attempt; /* NULL: none in progress */
    int fd;                      /* -1: not connected */
    struct loop_watch watch;
    struct loop_timer timeout;
    int64_t settle_us;     /* when the connection counts as settled; 0: it is settled */
    int64_t unfinished_us; /* when to hand out an unfinished line; 0: never */
    struct telnet_strip telnet;
    bool keeps_colors;
    struct sgr_strip colors;
    struct line_splitter lines;
    struct loop_timer room; /* runs while the connection is not read, for lack of room */
    bool is_behind;         /* since then it was not read to its end */
    char queue[BOARD_LOG_QUEUE_MAX];
    size_t queued;
    unsigned calls; /* how deep the loop's calls are nested */
    bool is_dead;   /* board_log_free() was called during a callback */
};

static void release_log(struct board_log *log)
{
    loop_watch_stop(&log->watch);
    loop_timer_stop(&log->timeout);
    loop_timer_stop(&log->room);
    tcp_connect_free(log->attempt);
    if (log->fd >= 0)
        close(log->fd);
    free(log);
}

/* Every function that the loop calls is bracketed by these two. If a callback frees its object, the
 * memory is released only after the callback has returned. */
static void enter_callbacks(struct board_log *log)
{
    log->calls++;
}

static void leave_callbacks(struct board_log *log)
{
    if (--log->calls == 0 && log->is_dead)
        release_log(log);
}

static void tell_state(struct board_log *log, enum board_log_state state, int number,
                       const char *reason)
{
    bool is_local = error_is_of_this_computer(number);

    if (log->is_dead || (log->state == (int)state && log->is_local == is_local))
        return;

    log->state = (int)state;
    log->is_local = is_local;
    log->callbacks.on_state(state, number, reason, log->callbacks.userdata);
}

static void hand_out_line(struct board_log *log, const struct line *line)
{
    tell_state(log, BOARD_LOG_CONNECTED, 0, "");
    if (!log->is_dead)
        log->callbacks.on_line(line, log->callbacks.userdata);
}

/* Starts the timer for the earlier of settle_us and unfinished_us. */
static void arm_timeout(struct board_log *log)
{
    int64_t due_us = log->settle_us;

    if (due_us == 0 || (log->unfinished_us != 0 && log->unfinished_us < due_us))
        due_us = log->unfinished_us;

    if (due_us == 0)
        loop_timer_stop(&log->timeout);
    else
        loop_timer_start(&log->timeout, due_us - loop_now_us());
}

static void rest_before_reconnect(struct board_log *log)
{
    loop_timer_start(&log->timeout, log->pause_us);
    log->pause_us *= 2;
    if (log->pause_us > LONGEST_PAUSE_US)
        log->pause_us = LONGEST_PAUSE_US;
}

/* The connection is over; reason is an errno, 0 when the board closed it. */
static void hang_up(struct board_log *log, int reason)
{
    struct line line;
    bool was_settled = log->settle_us == 0;

    loop_watch_stop(&log->watch);
    close(log->fd);
    log->fd = -1;
    log->settle_us = log->unfinished_us = 0;
    if (was_settled)
        log->queued = 0; /* the board may have executed a command that was sent in part */
    log->telnet = (struct telnet_strip){0};
    log->colors.held = 0;
    rest_before_reconnect(log);

    if (line_splitter_finish(&log->lines, &line))
        hand_out_line(log, &line);

    bool is_lost = was_settled || log->state == BOARD_LOG_CONNECTED;
    tell_state(log, is_lost ? BOARD_LOG_LOST : BOARD_LOG_TURNED_AWAY, reason,
               error_connection_text(reason, "the board does not answer any more"));
}

static void split_lines(struct board_log *log, const unsigned char *data, size_t length)
{
    unsigned char text[READ_MAX + 1];
    unsigned char plain[sizeof text + SGR_STRIP_MAX];
    const unsigned char *bytes = text;
    size_t left = telnet_strip(&log->telnet, text, data, length);
    struct line line;

    if (!log->keeps_colors) {
        left = sgr_strip(&log->colors, plain, text, left);
        bytes = plain;
    }

    while (line_splitter_next(&log->lines, &bytes, &left, &line)) {
        log->unfinished_us = 0;
        hand_out_line(log, &line);
    }

    if (log->unfinished_us == 0)
        log->unfinished_us = loop_now_us() + UNFINISHED_US;
}

/* Without room the watch is stopped, as it would report the end of the connection in each turn. */
static bool may_read(struct board_log *log)
{
    if (log->callbacks.has_room(log->callbacks.userdata))
        return true;

    loop_watch_stop(&log->watch);
    loop_timer_start(&log->room, LOOK_FOR_ROOM_US);
    log->is_behind = true;
    return false;
}

static void receive_log(struct board_log *log)
{
    unsigned char buffer[READ_MAX];
    const int64_t start_us = loop_now_us();

    for (int i = 0; i < READS_PER_TURN && !log->is_dead && may_read(log); i++) {
        ssize_t got = recv(log->fd, buffer, sizeof buffer, 0);

        if (got <= 0) {
            if (got == 0 || (errno != EAGAIN && errno != EINTR))
                hang_up(log, got == 0 ? 0 : errno);
            log->is_behind = false;
            return;
        }

        split_lines(log, buffer, (size_t)got);
        if (loop_now_us() - start_us >= TURN_US)
            return;
    }
}

/* Errors are ignored here: recv(2) reports them, after the last bytes that arrived. */
static void send_queue(struct board_log *log)
{
    if (log->fd < 0 || log->settle_us != 0)
        return;

    if (log->queued > 0) {
        ssize_t sent = send(log->fd, log->queue, log->queued, MSG_NOSIGNAL);

        if (sent > 0) {
            log->queued -= (size_t)sent;
            memmove(log->queue, log->queue + sent, log->queued);
        }
    }

    if (log->watch.loop)
        loop_watch_change(&log->watch,
                          log->queued > 0 ? LOOP_READABLE | LOOP_WRITABLE : LOOP_READABLE);
}

static void on_log_socket(unsigned events, void *userdata)
{
    struct board_log *log = userdata;

    enter_callbacks(log);
    if (events & LOOP_WRITABLE)
        send_queue(log);
    if (events != LOOP_WRITABLE)
        receive_log(log);
    if (!log->is_dead && log->fd >= 0)
        arm_timeout(log);
    leave_callbacks(log);
}

static void on_look_for_room(void *userdata)
{
    struct board_log *log = userdata;

    if (!may_read(log))
        return;
    if (loop_watch_start(&log->watch, log->loop, log->fd, LOOP_READABLE, on_log_socket, log) < 0)
        loop_timer_start(&log->room, LOOK_FOR_ROOM_US); /* memory may be available by then */
    else
        send_queue(log);
}

/* A board that restarts or loses its network sends nothing, so only keep-alive probes notice it.
 * Unacknowledged lines suppress these probes; TCP_USER_TIMEOUT covers that case. */
void board_log_tune(int fd)
{
    const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_COUNT},
        {IPPROTO_TCP, TCP_USER_TIMEOUT,
         (KEEP_ALIVE_IDLE_S + KEEP_ALIVE_COUNT * KEEP_ALIVE_INTERVAL_S) * 1000},
    };

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                   sizeof options[i].value);
}

static void begin_connection(struct board_log *log, int fd)
{
    board_log_tune(fd);
    if (loop_watch_start(&log->watch, log->loop, fd, LOOP_READABLE, on_log_socket, log) < 0) {
        int reason = errno;
        close(fd);
        rest_before_reconnect(log); /* memory may be available again by then */
        tell_state(log, BOARD_LOG_UNREACHABLE, reason, strerror(reason));
        return;
    }

    log->fd = fd;
    log->settle_us = loop_now_us() + BOARD_LOG_SETTLE_US;
    arm_timeout(log);
}

static void on_log_connected(int fd, int reason, void *userdata)
{
    struct board_log *log = userdata;
    char refusal[64];

    enter_callbacks(log);
    tcp_connect_free(log->attempt);
    log->attempt = NULL;

    if (fd >= 0) {
        log->addresses[0] = log->addresses[log->current];
        log->address_count = 1;
        log->current = 0;
        begin_connection(log, fd);
    } else {
        log->current = (log->current + 1) % log->address_count;
        rest_before_reconnect(log);
        snprintf(refusal, sizeof refusal, "nothing listens on the board's TCP port %u",
                 address_port(&log->addresses[log->current]));
        if (reason == ECONNREFUSED)
            tell_state(log, BOARD_LOG_REFUSED, reason, refusal);
        else
            tell_state(log, BOARD_LOG_UNREACHABLE, reason,
                       reason == ETIMEDOUT ? "the board does not answer" : strerror(reason));
    }

    leave_callbacks(log);
}

static void start_attempt(struct board_log *log)
{
    log->attempt = tcp_connect_start(log->loop, &log->addresses[log->current], log->source,
                                     CONNECT_US, on_log_connected, log);
    if (!log->attempt) {
        rest_before_reconnect(log);
        tell_state(log, BOARD_LOG_UNREACHABLE, ENOMEM, strerror(ENOMEM));
    }
}

/* The board has kept the connection, and reads its input from now on. */
static void settle_connection(struct board_log *log)
{
    log->settle_us = 0;
    log->pause_us = SHORTEST_PAUSE_US;
    send_queue(log);
    tell_state(log, BOARD_LOG_CONNECTED, 0, "");
}

static void on_log_timeout(void *userdata)
{
    struct board_log *log = userdata;
    struct line line;
    int64_t now_us = loop_now_us();

    enter_callbacks(log);
    if (log->fd < 0) {
        start_attempt(log);
    } else {
        if (log->settle_us != 0 && log->settle_us <= now_us)
            settle_connection(log);

        if (!log->is_dead && log->unfinished_us != 0 && log->unfinished_us <= now_us) {
            log->unfinished_us = 0;
            if (line_splitter_peek(&log->lines, &line))
                hand_out_line(log, &line);
        }

        arm_timeout(log);
    }

    leave_callbacks(log);
}

struct board_log *board_log_start(struct loop *loop, const struct address *address,
                                  const struct source *source, bool keeps_colors,
                                  const struct board_log_callbacks *callbacks)
{
    struct board_log *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;

    log->loop = loop;
    log->source = source;
    board_log_add_address(log, address);
    log->callbacks = *callbacks;
    log->keeps_colors = keeps_colors;
    log->state = -1;
    log->pause_us = SHORTEST_PAUSE_US;
    log->fd = -1;

    loop_timer_init(&log->timeout, loop, on_log_timeout, log);
    loop_timer_init(&log->room, loop, on_look_for_room, log);
    loop_timer_start(&log->timeout, 0);
    return log;
}

void board_log_add_address(struct board_log *log, const struct address *address)
{
    if (log->address_count < BOARD_LOG_ADDRESSES_MAX)
        log->addresses[log->address_count++] = *address;
}

bool board_log_send(struct board_log *log, const void *line, size_t length)
{
    static const char line_end[] = {'\r', '\n'};
    size_t room = sizeof log->queue - log->queued;

    if (log->is_dead || room < sizeof line_end || length > room - sizeof line_end)
        return false;

    memcpy(log->queue + log->queued, line, length);
    memcpy(log->queue + log->queued + length, line_end, sizeof line_end);
    log->queued += length + sizeof line_end;
    send_queue(log);
    return true;
}

bool board_log_is_behind(const struct board_log *log)
{
    return log->is_behind;
}

void board_log_free(struct board_log *log)
{
    if (!log)
        return;

    log->is_dead = true;
    if (log->calls == 0)
        release_log(log);
}
