/*
 * tcp_watch.c: collects figures from the headers of passing TCP segments.
 *
 * The window scale counts as soon as one side offers it: a peer that does not would make the true
 * window smaller than what is reported, never larger.
 */
#include "tcp_watch.h"

#include <stdbool.h>

enum {
    ETHERNET = 14,
    IP_MIN = 20,
    TCP_MIN = 20,
    PROTOCOL_TCP = 6,
    FLAG_SYN = 0x02,
    OPTION_END = 0,
    OPTION_NOTHING = 1,
    OPTION_MSS = 2,
    OPTION_SCALE = 3,
    SCALE_MAX = 14,
};

static uint32_t get16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

static uint32_t get32(const uint8_t *bytes)
{
    return get16(bytes) << 16 | get16(bytes + 2);
}

static void read_options(struct tcp_watch *watch, const uint8_t *option, const uint8_t *end)
{
    watch->scale = 0;
    while (option < end && *option != OPTION_END) {
        if (*option == OPTION_NOTHING) {
            option++;
            continue;
        }
        if (end - option < 2 || option[1] < 2 || option[1] > end - option)
            return;
        if (*option == OPTION_MSS && option[1] == 4)
            watch->mss = get16(option + 2);
        if (*option == OPTION_SCALE && option[1] == 3)
            watch->scale = option[2] < SCALE_MAX ? option[2] : SCALE_MAX;
        option += option[1];
    }
}

static void note_payload(struct tcp_watch *watch, uint32_t sequence, uint32_t length, bool syn,
                         int64_t now_us)
{
    uint32_t end = sequence + length;

    if (syn) {
        watch->end = sequence + 1;
        return;
    }
    if (length == 0) {
        watch->without++;
        return;
    }

    watch->data++;
    if (length > watch->segment)
        watch->segment = length;
    if ((int32_t)(end - watch->end) <= 0) {
        watch->repeated++;
        watch->waited_us += now_us - watch->data_us;
    } else {
        watch->end = end;
    }
    watch->data_us = now_us;
}

void tcp_watch_frame(struct tcp_watch *watch, const uint8_t *frame, size_t length, int64_t now_us)
{
    if (length < ETHERNET + IP_MIN + TCP_MIN || get16(frame + 12) != 0x0800)
        return;
    const uint8_t *ip = frame + ETHERNET;
    size_t ip_header = (size_t)(ip[0] & 15) * 4;
    size_t total = get16(ip + 2);
    if (ip[0] >> 4 != 4 || ip[9] != PROTOCOL_TCP || ip_header < IP_MIN ||
        total > length - ETHERNET || total < ip_header + TCP_MIN)
        return;
    const uint8_t *tcp = ip + ip_header;
    size_t tcp_header = (size_t)(tcp[12] >> 4) * 4;
    if (tcp_header < TCP_MIN || ip_header + tcp_header > total)
        return;

    bool syn = tcp[13] & FLAG_SYN;
    uint32_t window = get16(tcp + 14);
    if (syn)
        read_options(watch, tcp + TCP_MIN, tcp + tcp_header);
    else if (window << watch->scale > watch->window)
        watch->window = window << watch->scale;
    note_payload(watch, get32(tcp + 4), (uint32_t)(total - ip_header - tcp_header), syn, now_us);
}
