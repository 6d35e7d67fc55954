/*
 * pace.c: derives waiting times from the reply times of a board.
 */
#include "upload/espota/pace.h"

#include "base/units.h"

#include <stddef.h>

static const int64_t LEAST_US = MILLISECONDS(500);
static const int64_t SLOWEST_LOOP_US = MILLISECONDS(6500); /* blocks of up to 6 s were seen */
static const int64_t PBKDF2_US = MILLISECONDS(2500);       /* an ESP32 computes it for up to 2 s */
static const int64_t QUICK_US = MILLISECONDS(1500);

/* The first reply shows only how far the board was from its next turn of loop(). A whole turn may
 * take any multiple of that time: more than a hundred times as long for one board in a hundred. */
enum { TURN_PER_WAIT = 100 };

/* Invitations are rare while a slow loop() may explain the silence. After that, datagrams must have
 * been lost. The board swallows the invitation that follows a lost challenge, so more are
 * needed. */
static const int64_t unheard_us[] = {MILLISECONDS(3800), MILLISECONDS(3800), MILLISECONDS(500),
                                     MILLISECONDS(500),  MILLISECONDS(500),  MILLISECONDS(500)};

/* A reply time longer than any known board's means lost datagrams. The result is at least 1, as 0
 * stands for "not measured". */
static int64_t bound_reply_time(int64_t reply_us)
{
    return greater_us(1, lesser_us(reply_us, SLOWEST_LOOP_US + PBKDF2_US));
}

void pace_measure_challenge(struct pace *pace, int64_t reply_us)
{
    pace->challenge_us = greater_us(pace->challenge_us, bound_reply_time(reply_us));
    if (pace->verdict_us)
        pace->challenge_us = lesser_us(pace->challenge_us, pace->verdict_us);
}

/* The answer was sent right after the challenge, so the verdict on it took at least a whole turn of
 * loop(). No challenge can have taken longer. */
void pace_measure_verdict(struct pace *pace, int64_t reply_us)
{
    reply_us = bound_reply_time(reply_us);
    pace->verdict_us = pace->verdict_us ? lesser_us(pace->verdict_us, reply_us) : reply_us;
    pace->challenge_us = lesser_us(pace->challenge_us, pace->verdict_us);
}

bool pace_is_known(const struct pace *pace)
{
    return pace->challenge_us > 0;
}

int64_t pace_patience_us(const struct pace *pace)
{
    int64_t longest_us = greater_us(pace->challenge_us * 3 / 2, SLOWEST_LOOP_US);

    if (pace->verdict_us)
        return greater_us(LEAST_US, pace->verdict_us * 3 / 2);
    return greater_us(LEAST_US, lesser_us(pace->challenge_us * TURN_PER_WAIT, longest_us));
}

/* Enough time for five invitations, and for one unusually long turn of loop(). */
int64_t pace_limit_us(const struct pace *pace)
{
    return greater_us(SECONDS(30), 6 * pace_patience_us(pace));
}

int64_t pace_verdict_us(const struct pace *pace, bool is_sha256)
{
    return pace_patience_us(pace) + (is_sha256 && !pace->verdict_us ? PBKDF2_US : 0);
}

bool pace_is_quick(const struct pace *pace)
{
    return pace_patience_us(pace) <= QUICK_US;
}

int64_t pace_resend_us(int64_t patience_us, unsigned sendings)
{
    enum { DOUBLINGS_MAX = 4 };
    unsigned doublings = (sendings - 1) / 3;

    return patience_us << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
}

int64_t pace_unheard_us(unsigned invitations)
{
    return unheard_us[(invitations - 1) % (sizeof unheard_us / sizeof *unheard_us)];
}
