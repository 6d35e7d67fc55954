/* rollout.c: see rollout.h. */
#include "serve/rollout.h"

bool rollout_needs_canary(const struct rollout_rules *rules, const struct rollout_counts *counts)
{
    return counts->canaries < rules->canaries;
}

/* Half of the downloads: slow ones to one address leave room for others, and boards behind one
 * address (NAT) still fetch several at a time. */
static size_t share_of_address(const struct rollout_rules *rules)
{
    return (rules->downloads_max + 1) / 2;
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
    if (counts->downloads >= rules->downloads_max)
        return TURN_FULL;
    return counts->downloads_here >= share_of_address(rules) ? TURN_FULL_HERE : TURN_NOW;
}
