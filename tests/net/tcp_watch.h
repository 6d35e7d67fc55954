/* What the TCP segments of one direction tell: the window that is offered, how long segments are.
 */
#ifndef LINK_TCP_WATCH_H
#define LINK_TCP_WATCH_H

#include <stddef.h>
#include <stdint.h>

struct tcp_watch {
    uint32_t window;   /* the largest that was offered after the handshake, scaled */
    uint32_t segment;  /* the longest payload */
    uint32_t mss;      /* what the last SYN asked the other side for */
    uint64_t data;     /* segments with a payload */
    uint64_t repeated; /* ... of which nothing was new */
    int64_t waited_us; /* ... how long, in all, no payload had been sent before each of them */
    uint64_t without;  /* segments without a payload: acknowledgements */
    uint32_t end;      /* after the last byte seen */
    int64_t data_us;   /* when the last payload was sent */
    unsigned scale;
};

/* Looks at an Ethernet frame; what is not TCP over IPv4 is ignored. */
void tcp_watch_frame(struct tcp_watch *watch, const uint8_t *frame, size_t length, int64_t now_us);

#endif
