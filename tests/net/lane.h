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
    int64_t jitter_us; /* maximum random addition to the delay, evenly distributed */
    uint32_t loss_ppm; /* frames lost at random, of a million */
    uint64_t rate;     /* bytes per second; 0: no limit */
    size_t queue;      /* maximum number of frames in transit, those in the air included */
    uint64_t seed;
};

struct lane_counters {
    uint64_t frames; /* frames that went in: the sum of the next five, if none is in transit */
    uint64_t delivered;
    uint64_t lost;      /* frames lost at random */
    uint64_t overflown; /* frames lost because the queue was full */
    uint64_t down;      /* frames lost because the link was cut */
    uint64_t refused;   /* frames refused by the device at the other end */
    uint64_t bytes;     /* bytes that were delivered */
    struct tcp_watch tcp;
};

struct lane;

/* NULL if memory runs out. The caller frees the lane with lane_free(). */
struct lane *lane_new(const struct lane_config *config);
void lane_free(struct lane *lane);

/* While a lane is down, new frames are lost; frames in transit still arrive. */
void lane_set_down(struct lane *lane, bool down);

/* Copies a frame that arrived at now_us. A frame longer than FRAME_MAX is lost. */
void lane_put(struct lane *lane, const uint8_t *frame, size_t length, int64_t now_us);

/* Returns when the next frame comes out (monotonic microseconds); INT64_MAX: none in transit. */
int64_t lane_due_us(const struct lane *lane);

/* Returns the frame that is due by now_us, or NULL. It is valid until lane_drop_first(), which must
 * follow and is told whether the device took the frame. */
const uint8_t *lane_first(const struct lane *lane, int64_t now_us, size_t *length);
void lane_drop_first(struct lane *lane, bool taken);

const struct lane_counters *lane_counters(const struct lane *lane);

#endif
