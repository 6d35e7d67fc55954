/* Statistics of the TCP segments in one direction, such as the offered window and segment sizes. */
#ifndef LINK_TCP_WATCH_H
#define LINK_TCP_WATCH_H

#include <stddef.h>
#include <stdint.h>

struct tcp_watch {
    uint32_t window;   /* the largest window offered after the handshake, scaled */
    uint32_t segment;  /* the longest payload */
    uint32_t mss;      /* the MSS option of the last SYN */
    uint64_t data;     /* segments with a payload */
    uint64_t repeated; /* segments whose payload was sent before */
    int64_t waited_us; /* total of the times without a payload before repeated segments */
    uint64_t without;  /* segments without a payload: acknowledgements */
    uint32_t end;      /* sequence number after the last byte seen */
    int64_t data_us;   /* time of the last payload */
    unsigned scale;
};

/* Counts an Ethernet frame; only TCP over IPv4 is regarded. */
void tcp_watch_frame(struct tcp_watch *watch, const uint8_t *frame, size_t length, int64_t now_us);

#endif
