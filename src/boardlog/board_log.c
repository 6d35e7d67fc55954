/*
 * board_log.c: keeps a TCP connection to a board's log, across its restarts, and reads lines from it.
 *
 *   waiting --pause over--> connecting --connected--> connected (settles after 150 ms)
 *      ^                        |                         |
 *      +--------- failed -------+---- ended, or silent ---+
 *
 * Sketches offer their log with libraries such as TelnetStream, ESPTelnet and RemoteDebug. They
 * send plain bytes, serve one client or a few, and throw away what comes in the first moments,
 * taking it for telnet's negotiation; so none is sent.
 *
 * Nothing here knows what the lines mean, and nothing prints.
 */
#include "boardlog/board_log.h"

#include "base/error.h"
#include "base/loop.h"
#include "boardlog/sgr_strip.h"
#include "boardlog/telnet_strip.h"
#include "net/tcp_connect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_MAX = 4096,
    READS_PER_TURN = 8, /* a flood from one board must not starve the others */
    KEEP_ALIVE_IDLE_S = 2,
    KEEP_ALIVE_INTERVAL_S = 1,
    KEEP_ALIVE_COUNT = 3,
};

static const int64_t CONNECT_US = 2 * INT64_C(1000000);
static const int64_t SHORTEST_PAUSE_US = 200 * INT64_C(1000);
static const int64_t LONGEST_PAUSE_US = 2 * INT64_C(1000000);
static const int64_t SETTLE_US = 150 * INT64_C(1000);
static const int64_t UNFINISHED_US = 200 * INT64_C(1000);

struct board_log {
    struct loop *loop;
    struct address address;
    struct board_log_callbacks callbacks;
    int state; /* what on_state was last told; -1: nothing */
    int64_t pause_us;
    struct tcp_connect *dial;
    int descriptor; /* -1: not connected */
    struct loop_watch watch;
    struct loop_timer timeout;
    int64_t settle_us;     /* when the board listens; 0: it does */
    int64_t unfinished_us; /* when to show what there is of a line; 0: nothing new */
    struct telnet_strip telnet;
    bool keeps_colors;
    struct sgr_strip colors;
    struct line_splitter lines;
    char queue[BOARD_LOG_QUEUE_MAX];
    size_t queued;
    unsigned calls; /* of callbacks, under way */
    bool dead;      /* freed meanwhile */
};

static void release(struct board_log *monitor)
{
    loop_watch_stop(&monitor->watch);
    loop_timer_stop(&monitor->timeout);
    tcp_connect_free(monitor->dial);
    if (monitor->descriptor >= 0)
        close(monitor->descriptor);
    free(monitor);
}

/* Around everything that the loop calls: what a callback frees goes when it has returned. */
static void enter(struct board_log *monitor)
{
    monitor->calls++;
}

static void leave(struct board_log *monitor)
{
    if (--monitor->calls == 0 && monitor->dead)
        release(monitor);
}

static void tell_state(struct board_log *monitor, enum board_log_state state, const char *reason)
{
    if (monitor->dead || monitor->state == (int)state)
        return;
    monitor->state = (int)state;
    monitor->callbacks.on_state(state, reason, monitor->callbacks.userdata);
}

static void hand_out_line(struct board_log *monitor, const struct line *line)
{
    tell_state(monitor, BOARD_LOG_CONNECTED, "");
    if (!monitor->dead)
        monitor->callbacks.on_line(line, monitor->callbacks.userdata);
}

/* For whichever comes first. */
static void arm_timeout(struct board_log *monitor)
{
    int64_t due_us = monitor->settle_us;
    if (due_us == 0 || (monitor->unfinished_us != 0 && monitor->unfinished_us < due_us))
        due_us = monitor->unfinished_us;
    int64_t delay_us = due_us - loop_now_us();
    if (due_us == 0)
        loop_timer_stop(&monitor->timeout);
    else
        loop_timer_start(&monitor->timeout, delay_us);
}

static void rest_before_reconnect(struct board_log *monitor)
{
    loop_timer_start(&monitor->timeout, monitor->pause_us);
    monitor->pause_us *= 2;
    if (monitor->pause_us > LONGEST_PAUSE_US)
        monitor->pause_us = LONGEST_PAUSE_US;
}

/* The connection is over; reason is an errno, 0 when the board closed it. */
static void hang_up(struct board_log *monitor, int reason)
{
    struct line line;
    bool was_settled = monitor->settle_us == 0;
    const char *end = error_connection_text(reason, "the board does not answer any more");

    loop_watch_stop(&monitor->watch);
    close(monitor->descriptor);
    monitor->descriptor = -1;
    monitor->settle_us = monitor->unfinished_us = 0;
    if (was_settled)
        monitor->queued = 0; /* a command of which a part was sent may have been obeyed */
    monitor->telnet = (struct telnet_strip){0};
    monitor->colors.held = 0;
    rest_before_reconnect(monitor);
    if (line_splitter_finish(&monitor->lines, &line))
        hand_out_line(monitor, &line);
    if (was_settled || monitor->state == BOARD_LOG_CONNECTED)
        tell_state(monitor, BOARD_LOG_LOST, end);
    else
        tell_state(monitor, BOARD_LOG_TURNED_AWAY, end);
}

static void take_bytes(struct board_log *monitor, const unsigned char *data, size_t length)
{
    unsigned char text[READ_MAX + 1];
    unsigned char plain[sizeof text + SGR_STRIP_MAX];
    const unsigned char *bytes = text;
    size_t left = telnet_strip(&monitor->telnet, text, data, length);

    if (!monitor->keeps_colors) {
        left = sgr_strip(&monitor->colors, plain, text, left);
        bytes = plain;
    }
    struct line line;
    while (line_splitter_next(&monitor->lines, &bytes, &left, &line)) {
        monitor->unfinished_us = 0;
        hand_out_line(monitor, &line);
    }
    if (monitor->unfinished_us == 0)
        monitor->unfinished_us = loop_now_us() + UNFINISHED_US;
}

static void receive_log(struct board_log *monitor)
{
    unsigned char buffer[READ_MAX];

    for (int i = 0; i < READS_PER_TURN && !monitor->dead; i++) {
        ssize_t got = recv(monitor->descriptor, buffer, sizeof buffer, 0);
        if (got > 0) {
            take_bytes(monitor, buffer, (size_t)got);
        } else {
            if (got == 0 || (errno != EAGAIN && errno != EINTR))
                hang_up(monitor, got == 0 ? 0 : errno);
            return;
        }
    }
}

/* An error is left to the recv(2) that follows, when what came before it has been read. */
static void send_queue(struct board_log *monitor)
{
    if (monitor->descriptor < 0 || monitor->settle_us != 0)
        return;

    if (monitor->queued > 0) {
        ssize_t sent = send(monitor->descriptor, monitor->queue, monitor->queued, MSG_NOSIGNAL);
        if (sent > 0) {
            monitor->queued -= (size_t)sent;
            memmove(monitor->queue, monitor->queue + sent, monitor->queued);
        }
    }
    loop_watch_change(&monitor->watch,
                      monitor->queued > 0 ? LOOP_READABLE | LOOP_WRITABLE : LOOP_READABLE);
}

static void on_log_socket(unsigned events, void *userdata)
{
    struct board_log *monitor = userdata;

    enter(monitor);
    if (events & LOOP_WRITABLE)
        send_queue(monitor);
    if (events != LOOP_WRITABLE)
        receive_log(monitor);
    if (!monitor->dead && monitor->descriptor >= 0)
        arm_timeout(monitor);
    leave(monitor);
}

/* A board that restarts or loses its network says nothing; only probes find that out. The last
 * option is for lines that it does not acknowledge, which keep probes from being sent. */
static void tune_log_socket(int descriptor)
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
        setsockopt(descriptor, options[i].level, options[i].name, &options[i].value,
                   sizeof options[i].value);
}

static void begin_connection(struct board_log *monitor, int descriptor)
{
    tune_log_socket(descriptor);
    if (loop_watch_start(&monitor->watch, monitor->loop, descriptor, LOOP_READABLE, on_log_socket,
                         monitor) < 0) { /* no memory now, perhaps later */
        close(descriptor);
        rest_before_reconnect(monitor);
        return;
    }
    monitor->descriptor = descriptor;
    monitor->settle_us = loop_now_us() + SETTLE_US;
    arm_timeout(monitor);
}

static void on_log_connected(int descriptor, int reason, void *userdata)
{
    struct board_log *monitor = userdata;

    enter(monitor);
    tcp_connect_free(monitor->dial);
    monitor->dial = NULL;
    if (descriptor >= 0) {
        begin_connection(monitor, descriptor);
    } else {
        rest_before_reconnect(monitor);
        if (reason == ECONNREFUSED)
            tell_state(monitor, BOARD_LOG_REFUSED, "nothing listens on that port");
        else
            tell_state(monitor, BOARD_LOG_UNREACHABLE,
                       reason == ETIMEDOUT ? "the board does not answer" : strerror(reason));
    }
    leave(monitor);
}

static void dial(struct board_log *monitor)
{
    monitor->dial =
        tcp_connect_start(monitor->loop, &monitor->address, CONNECT_US, on_log_connected, monitor);
    if (!monitor->dial)
        rest_before_reconnect(monitor);
}

/* The board has kept the connection, and listens. */
static void settle_connection(struct board_log *monitor)
{
    monitor->settle_us = 0;
    monitor->pause_us = SHORTEST_PAUSE_US;
    send_queue(monitor);
    tell_state(monitor, BOARD_LOG_CONNECTED, "");
}

static void on_log_timeout(void *userdata)
{
    struct board_log *monitor = userdata;
    struct line line;
    int64_t now_us = loop_now_us();

    enter(monitor);
    if (monitor->descriptor < 0) {
        dial(monitor);
    } else {
        if (monitor->settle_us != 0 && monitor->settle_us <= now_us)
            settle_connection(monitor);
        if (!monitor->dead && monitor->unfinished_us != 0 && monitor->unfinished_us <= now_us) {
            monitor->unfinished_us = 0;
            if (line_splitter_peek(&monitor->lines, &line))
                hand_out_line(monitor, &line);
        }
        arm_timeout(monitor);
    }
    leave(monitor);
}

struct board_log *board_log_start(struct loop *loop, const struct address *address,
                                  bool keeps_colors, const struct board_log_callbacks *callbacks)
{
    struct board_log *monitor = calloc(1, sizeof *monitor);
    if (!monitor)
        return NULL;

    monitor->loop = loop;
    monitor->address = *address;
    monitor->callbacks = *callbacks;
    monitor->keeps_colors = keeps_colors;
    monitor->state = -1;
    monitor->pause_us = SHORTEST_PAUSE_US;
    monitor->descriptor = -1;
    loop_timer_init(&monitor->timeout, loop, on_log_timeout, monitor);
    loop_timer_start(&monitor->timeout, 0);
    return monitor;
}

bool board_log_send(struct board_log *monitor, const void *line, size_t length)
{
    static const char line_end[] = {'\r', '\n'};
    size_t room = sizeof monitor->queue - monitor->queued;

    if (monitor->dead || room < sizeof line_end || length > room - sizeof line_end)
        return false;

    memcpy(monitor->queue + monitor->queued, line, length);
    memcpy(monitor->queue + monitor->queued + length, line_end, sizeof line_end);
    monitor->queued += length + sizeof line_end;
    send_queue(monitor);
    return true;
}

void board_log_free(struct board_log *monitor)
{
    if (!monitor)
        return;
    monitor->dead = true;
    if (monitor->calls == 0)
        release(monitor);
}
