/*
 * rollout.h: the order in which boards get the image, and when the next one may. Pure.
 */
#ifndef ESP_OTA_SERVE_ROLLOUT_H
#define ESP_OTA_SERVE_ROLLOUT_H

#include <stdbool.h>
#include <stddef.h>

struct rollout_rules {
    size_t downloads_max; /* -j: at a time */
    size_t canaries;      /* --canary; 0: none */
    size_t failures_max;  /* --max-failures; 0: no limit */
};

/* Where the roll-out stands. A board counts as failed when nothing more is sent to it. */
struct rollout_counts {
    size_t downloads; /* that are running */
    size_t canaries;  /* boards that were chosen to be first */
    size_t canaries_confirmed, canaries_failed;
    size_t failures;       /* canaries included */
    size_t downloads_here; /* to the address that asks */
};

enum turn {
    TURN_NOW,
    TURN_CANARIES,  /* the first boards have not confirmed yet */
    TURN_STOPPED,   /* a canary has failed, or too many boards have */
    TURN_FULL,      /* as many downloads run as may */
    TURN_FULL_HERE, /* as many run to this address as may */
    TURN_GIVEN_UP,  /* the board has taken the image as often as it may, and does not run it */
    TURN_TAKEN,   /* it has taken the image, and nothing that it says can tell whether it runs it */
    TURN_SETTLED, /* it was told to fetch, and has its result */
};

/* Whether a board may have the image now. can_confirm: it may become a canary, as its MAC is known;
 * is_canary: it has become one. */
enum turn rollout_turn(const struct rollout_rules *rules, const struct rollout_counts *counts,
                       bool is_canary, bool can_confirm);

/* Whether a board that gets the image now is one of the canaries. */
bool rollout_needs_canary(const struct rollout_rules *rules, const struct rollout_counts *counts);

#endif
