/*
 * board_log.h: the log that a board writes to the clients of its telnet port.
 */
#ifndef ESP_OTA_BOARDLOG_BOARD_LOG_H
#define ESP_OTA_BOARDLOG_BOARD_LOG_H

#include "base/address.h"
#include "base/loop.h"
#include "boardlog/line_splitter.h"

/* Capacity of the queue of lines to send, in bytes, with line ends. */
enum { BOARD_LOG_QUEUE_MAX = 4096 };

/* For how long after the beginning of a connection boards discard their input. */
enum { BOARD_LOG_SETTLE_US = 150 * 1000 };

enum { BOARD_LOG_ADDRESSES_MAX = 8 };

struct board_log;
struct source;

enum board_log_state {
    BOARD_LOG_CONNECTED,   /* the board has kept the connection for 150 ms, or sent something */
    BOARD_LOG_LOST,        /* the connection has ended, as reason says */
    BOARD_LOG_TURNED_AWAY, /* the board hung up at once; often it serves only one client */
    BOARD_LOG_REFUSED,     /* the board is there, but nothing listens on that port */
    BOARD_LOG_UNREACHABLE, /* the board does not answer, or the network reports an error */
};

/* Both may free the log. The functions below never call them directly. */
struct board_log_callbacks {
    /* A line or a piece of one, without telnet commands and colors. The beginning of a line is
     * handed out when it has been unfinished for 200 ms, and is repeated when the line goes on
     * (line->shown). Each connection begins a line. */
    void (*on_line)(const struct line *line, void *userdata);
    /* The state has changed, or whether it is this computer's own trouble. number is the errno; 0:
     * there is none, the board has hung up. reason is the end of an English sentence. */
    void (*on_state)(enum board_log_state state, int number, const char *reason, void *userdata);
    /* Whether there is room for the lines of another 512 bytes. If not, the connection is not read
     * until there is: TCP then slows the board down, and nothing is lost. Must not free the log. */
    bool (*has_room)(void *userdata);
    void *userdata;
};

/* Connects from source, which must outlive the log, to address (with port). Retries after 200 ms to
 * 2 s when the connection ends, or is not established within 2 s. The silent loss of a board is
 * noticed within about 5 s. Sequences that choose a color are removed unless keeps_colors. Returns
 * NULL when memory ran out. */
struct board_log *board_log_start(struct loop *loop, const struct address *address,
                                  const struct source *source, bool keeps_colors,
                                  const struct board_log_callbacks *callbacks);

/* Adds another address (with port) at which the board may be. The attempts take turns until one
 * address connects; only that one is used from then on. Addresses beyond BOARD_LOG_ADDRESSES_MAX
 * are ignored. */
void board_log_add_address(struct board_log *log, const struct address *address);

/* Queues a line, given without its end, and CR LF. The queue is sent once a connection has lasted
 * for 150 ms, since boards discard earlier input; it also waits for a board that is away. If that
 * connection ends, the rest of the queue is dropped. Returns false when the queue is full. */
bool board_log_send(struct board_log *log, const void *line, size_t length);

/* Whether the connection was not read for lack of room, and what came meanwhile still is not. */
bool board_log_is_behind(const struct board_log *log);

/* Makes the kernel notice within about 5 s that the board at the other end has gone. */
void board_log_tune(int fd);

/* Closes the connection. Allowed at any time. NULL is ignored. */
void board_log_free(struct board_log *log);

#endif
