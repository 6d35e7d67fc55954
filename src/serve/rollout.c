/* rollout.c: see rollout.h. */
#include "serve/rollout.h"

bool rollout_needs_canary(const struct rollout_rules *rules, const struct rollout_counts *counts)
{
    return counts->canaries < rules->canaries;
}

enum turn rollout_turn(const struct rollout_rules *rules, const struct rollout_counts *counts,
                       bool is_canary, bool can_confirm)
{
    const bool becomes_canary = can_confirm && rollout_needs_canary(rules, counts);

    if (rules->failures_max > 0 && counts->failures >= rules->failures_max)
        return TURN_STOPPED;
    if (rules->canaries > 0 && !is_canary) {
        if (counts->canaries_failed > 0)
            return TURN_STOPPED;
        if (counts->canaries_confirmed < rules->canaries && !becomes_canary)
            return TURN_CANARIES;
    }
    return counts->downloads >= rules->downloads_max ? TURN_FULL : TURN_NOW;
}
