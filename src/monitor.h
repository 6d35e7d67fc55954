/*
 * monitor.h: follows the log that a board writes to whoever connects to its telnet port.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include "address.h"
#include "lines.h"

#include <avahi-common/watch.h>

/* What waits to be sent, line ends included. */
enum { MONITOR_QUEUE_MAX = 4096 };

struct monitor;

enum monitor_state {
    MONITOR_CONNECTED,   /* and the board has kept the connection for 150 ms, or said something */
    MONITOR_LOST,        /* it was connected; reason says how it ended */
    MONITOR_TURNED_AWAY, /* the board hung up at once: often it serves one client only */
    MONITOR_REFUSED,     /* the board is there, but nothing listens on that port */
    MONITOR_UNREACHABLE, /* no answer, or the network says that it is not there */
};

/* Both may free the monitor. Nothing is called from within the functions below. */
struct monitor_callbacks {
    /* A line or a piece of one, as it came but for telnet's commands and colours. Of a line that
     * stays unfinished for 200 ms, what is there is handed out; the whole of it comes again when it
     * goes on (line->shown). Each connection begins a line. */
    void (*on_line)(const struct line *line, void *userdata);
    /* It differs from the last one. reason is a sentence's end, in English. */
    void (*on_state)(enum monitor_state state, const char *reason, void *userdata);
    void *userdata;
};

/* Connects to address (with port) and does so again, after 200 ms to 2 s, whenever the connection
 * ends or does not come about within 2 s. A board that vanishes in silence is noticed within some 5
 * s. Sequences that choose a colour are left out unless keeps_colours. NULL when memory ran out. */
struct monitor *monitor_start(const AvahiPoll *poll_api, const struct address *address,
                              bool keeps_colours, const struct monitor_callbacks *callbacks);

/* Sends a line, given without its end, and CR LF: once the connection has been there for 150 ms,
 * since boards discard what comes earlier. It waits for that, also for a board that is away; but
 * what is left of a queue when its connection ends is dropped. False when there is no room. */
bool monitor_send(struct monitor *monitor, const void *line, size_t length);

/* Hangs up. Allowed at any time. */
void monitor_free(struct monitor *monitor);

#endif
