/*
 * pace.c: see pace.h. Touches nothing but its arguments.
 */
#include "upload/espota/pace.h"

#include <stddef.h>

#define MS INT64_C(1000)
#define SECOND (1000 * MS)

static const int64_t LEAST_US = 500 * MS;
static const int64_t SLOWEST_LOOP_US = 6500 * MS; /* blocks of up to 6 s were seen */
static const int64_t PBKDF2_US = 2500 * MS;       /* an ESP32 computes it for up to 2 s */
static const int64_t QUICK_US = 1500 * MS;

/* The first reply tells how far the board was from its next turn of loop(), and a turn takes any
 * multiple of that. For one board in a hundred it is more than a hundred times as long. */
enum { TURN_PER_WAIT = 100 };

/* Few invitations while a slow loop() may explain the silence. After that, datagrams are lost: each
 * lost challenge also costs the invitation after it, which the board swallows. */
static const int64_t unheard_us[] = {3800 * MS, 3800 * MS, 500 * MS, 500 * MS, 500 * MS, 500 * MS};

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A reply time beyond that of any known board means that datagrams were lost. 0 stands for "not
 * measured". */
static int64_t bound_reply_time(int64_t reply_us)
{
    return greater(1, lesser(reply_us, SLOWEST_LOOP_US + PBKDF2_US));
}

void pace_measure_challenge(struct pace *pace, int64_t reply_us)
{
    pace->challenge_us = greater(pace->challenge_us, bound_reply_time(reply_us));
    if (pace->verdict_us)
        pace->challenge_us = lesser(pace->challenge_us, pace->verdict_us);
}

/* The answer left right after the challenge, so the verdict on it took a whole turn of loop(), at
 * least: no challenge can have taken longer. */
void pace_measure_verdict(struct pace *pace, int64_t reply_us)
{
    reply_us = bound_reply_time(reply_us);
    pace->verdict_us = pace->verdict_us ? lesser(pace->verdict_us, reply_us) : reply_us;
    pace->challenge_us = lesser(pace->challenge_us, pace->verdict_us);
}

bool pace_is_known(const struct pace *pace)
{
    return pace->challenge_us > 0;
}

int64_t pace_patience_us(const struct pace *pace)
{
    int64_t longest_us = greater(pace->challenge_us * 3 / 2, SLOWEST_LOOP_US);

    if (pace->verdict_us)
        return greater(LEAST_US, pace->verdict_us * 3 / 2);
    return greater(LEAST_US, lesser(pace->challenge_us * TURN_PER_WAIT, longest_us));
}

/* Time for five invitations, and for a turn that takes long after all. */
int64_t pace_limit_us(const struct pace *pace)
{
    return greater(30 * SECOND, 6 * pace_patience_us(pace));
}

int64_t pace_verdict_us(const struct pace *pace, bool hashes)
{
    return pace_patience_us(pace) + (hashes && !pace->verdict_us ? PBKDF2_US : 0);
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
