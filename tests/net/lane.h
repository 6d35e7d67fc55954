/* One direction of the link: frames go in, and come out later, in order, or not at all. */
#ifndef LINK_LANE_H
#define LINK_LANE_H

#include "tcp_watch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_MAX = 2048 };

struct lane_config {
    int64_t delay_us;
    int64_t jitter_us; /* added to the delay: 0 to so much, evenly spread */
    uint32_t loss_ppm; /* frames lost at random, of a million */
    uint64_t rate;     /* bytes per second; 0: no limit */
    size_t queue;      /* frames under way at most, those in the air included */
    uint64_t seed;
};

struct lane_counters {
    uint64_t frames; /* that went in: the sum of the next five, when none is under way */
    uint64_t delivered;
    uint64_t lost;      /* at random */
    uint64_t overflown; /* the queue was full */
    uint64_t down;      /* the link was cut */
    uint64_t refused;   /* by the device at the other end */
    uint64_t bytes;     /* that were delivered */
    struct tcp_watch tcp;
};

struct lane;

/* NULL when there is no memory. The caller frees it with lane_free(). */
struct lane *lane_new(const struct lane_config *config);
void lane_free(struct lane *lane);

/* While a lane is down, what goes in is lost; what is under way still arrives. */
void lane_set_down(struct lane *lane, bool down);

/* Takes a copy of a frame that arrived at now_us; longer than FRAME_MAX is lost. */
void lane_put(struct lane *lane, const uint8_t *frame, size_t length, int64_t now_us);

/* When the next frame comes out (monotonic microseconds); INT64_MAX: none is under way. */
int64_t lane_due_us(const struct lane *lane);

/* The frame that is due by now_us, or NULL. It is valid until lane_drop_first(), which must follow
 * and says whether the device took it. */
const uint8_t *lane_first(const struct lane *lane, int64_t now_us, size_t *length);
void lane_drop_first(struct lane *lane, bool taken);

const struct lane_counters *lane_counters(const struct lane *lane);

#endif
