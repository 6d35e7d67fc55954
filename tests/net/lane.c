/*
 * lane.c: simulates a radio link: rate, delay, loss. Pure: the caller passes the time.
 *
 *   put -> [wait for the air: rate] -> [delay + jitter, never overtaking] -> first
 *
 * A lost frame occupies the air like any other, as it does in reality.
 */
#include "lane.h"

#include <stdlib.h>
#include <string.h>

struct frame {
    int64_t due_us;
    size_t length;
    uint8_t data[FRAME_MAX];
};

struct lane {
    struct lane_config config;
    struct lane_counters counters;
    uint64_t random;
    int64_t free_us; /* time at which the air is free again */
    int64_t last_us; /* time at which the youngest frame comes out */
    size_t first;
    size_t count;
    bool down;
    struct frame frames[];
};

struct lane *lane_new(const struct lane_config *config)
{
    struct lane *lane = calloc(1, sizeof *lane + config->queue * sizeof lane->frames[0]);
    if (!lane)
        return NULL;
    lane->config = *config;
    lane->random = config->seed;
    return lane;
}

void lane_free(struct lane *lane)
{
    free(lane);
}

void lane_set_down(struct lane *lane, bool down)
{
    lane->down = down;
}

/* splitmix64: any seed will do, even 0. */
static uint64_t next_random(struct lane *lane)
{
    uint64_t value = lane->random += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static int64_t time_due_us(struct lane *lane, size_t length, int64_t now_us)
{
    if (lane->free_us < now_us)
        lane->free_us = now_us;
    if (lane->config.rate)
        lane->free_us += (int64_t)(length * 1000000 / lane->config.rate);
    int64_t due_us = lane->free_us + lane->config.delay_us;
    if (lane->config.jitter_us)
        due_us += (int64_t)(next_random(lane) % (uint64_t)(lane->config.jitter_us + 1));
    return due_us > lane->last_us ? due_us : lane->last_us;
}

void lane_put(struct lane *lane, const uint8_t *frame, size_t length, int64_t now_us)
{
    lane->counters.frames++;
    tcp_watch_frame(&lane->counters.tcp, frame, length, now_us);
    if (lane->down) {
        lane->counters.down++;
        return;
    }
    if (lane->count == lane->config.queue || length > FRAME_MAX) {
        lane->counters.overflown++;
        return;
    }
    int64_t due_us = time_due_us(lane, length, now_us);
    if (next_random(lane) % 1000000 < lane->config.loss_ppm) {
        lane->counters.lost++;
        return;
    }
    struct frame *last = &lane->frames[(lane->first + lane->count++) % lane->config.queue];
    last->due_us = lane->last_us = due_us;
    last->length = length;
    memcpy(last->data, frame, length);
}

int64_t lane_due_us(const struct lane *lane)
{
    return lane->count ? lane->frames[lane->first].due_us : INT64_MAX;
}

const uint8_t *lane_first(const struct lane *lane, int64_t now_us, size_t *length)
{
    if (lane_due_us(lane) > now_us)
        return NULL;
    *length = lane->frames[lane->first].length;
    return lane->frames[lane->first].data;
}

void lane_drop_first(struct lane *lane, bool taken)
{
    if (taken) {
        lane->counters.delivered++;
        lane->counters.bytes += lane->frames[lane->first].length;
    } else {
        lane->counters.refused++;
    }
    lane->first = (lane->first + 1) % lane->config.queue;
    lane->count--;
}

const struct lane_counters *lane_counters(const struct lane *lane)
{
    return &lane->counters;
}
