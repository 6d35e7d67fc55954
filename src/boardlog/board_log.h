/*
 * board_log.h: follows the log that a board writes to whoever connects to its telnet port.
 */
#ifndef ESP_OTA_BOARDLOG_BOARD_LOG_H
#define ESP_OTA_BOARDLOG_BOARD_LOG_H

#include "base/address.h"
#include "boardlog/line_splitter.h"

#include "base/loop.h"

/* What waits to be sent, line ends included. */
enum { BOARD_LOG_QUEUE_MAX = 4096 };

struct board_log;

enum board_log_state {
    BOARD_LOG_CONNECTED,   /* and the board has kept the connection for 150 ms, or said something */
    BOARD_LOG_LOST,        /* it was connected; reason says how it ended */
    BOARD_LOG_TURNED_AWAY, /* the board hung up at once: often it serves one client only */
    BOARD_LOG_REFUSED,     /* the board is there, but nothing listens on that port */
    BOARD_LOG_UNREACHABLE, /* no answer, or the network says that it is not there */
};

/* Both may free the monitor. Nothing is called from within the functions below. */
struct board_log_callbacks {
    /* A line or a piece of one, as it came but for telnet's commands and colors. Of a line that
     * stays unfinished for 200 ms, what is there is handed out; the whole of it comes again when it
     * goes on (line->shown). Each connection begins a line. */
    void (*on_line)(const struct line *line, void *userdata);
    /* It differs from the last one. reason is a sentence's end, in English. */
    void (*on_state)(enum board_log_state state, const char *reason, void *userdata);
    void *userdata;
};

/* Connects to address (with port) and does so again, after 200 ms to 2 s, whenever the connection
 * ends or does not come about within 2 s. A board that vanishes in silence is noticed within some 5
 * s. Sequences that choose a color are left out unless keeps_colors. NULL when memory ran out. */
struct board_log *board_log_start(struct loop *loop, const struct address *address,
                                  bool keeps_colors, const struct board_log_callbacks *callbacks);

/* Sends a line, given without its end, and CR LF: once the connection has been there for 150 ms,
 * since boards discard what comes earlier. It waits for that, also for a board that is away; but
 * what is left of a queue when its connection ends is dropped. False when there is no room. */
bool board_log_send(struct board_log *monitor, const void *line, size_t length);

/* Hangs up. Allowed at any time. */
void board_log_free(struct board_log *monitor);

#endif
