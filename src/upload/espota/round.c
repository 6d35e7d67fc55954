/*
 * round.c: estimates the board's queue from the invitations and challenges so far.
 *
 * A board reads its datagrams in order. The first invitation gets a challenge, the second one is
 * swallowed and makes that challenge void, the third one gets another challenge, and so on.
 */
#include "upload/espota/round.h"

#include "base/units.h"

static const int64_t PROMPT_US = MILLISECONDS(250); /* as long as a sleeping radio may take */

void round_invited(struct round *round, int64_t now_us)
{
    if (round->invitations++ == 0)
        round->invited_us = now_us;
    round->last_invited_us = now_us;
}

void round_challenged(struct round *round, int64_t now_us)
{
    round->is_crossed |= round->answers > 0;
    round->challenges++;
    round->challenged_us = now_us;
}

void round_answered(struct round *round, int64_t now_us)
{
    if (round->answers++ == 0)
        round->answered_us = now_us;
}

void round_accepted(struct round *round)
{
    round->invitations = 1;
    round->challenges = round->answers = round->backlog = 0;
    round->is_crossed = false;
}

void round_refused(struct round *round)
{
    round->invitations = round->challenges = round->answers = round->backlog = 0;
}

/* The board has read two more invitations for each challenge after the first one. */
static unsigned count_read(const struct round *round)
{
    return round->challenges == 0 ? 0 : 2 * round->challenges - 1;
}

unsigned round_unread(const struct round *round)
{
    unsigned read = count_read(round);

    return round->invitations > read ? round->invitations - read : 0;
}

static bool is_prompt(const struct round *round)
{
    return round->challenged_us - round->last_invited_us <= PROMPT_US;
}

bool round_is_answerable(const struct round *round)
{
    return round_unread(round) == 0 || is_prompt(round);
}

/* The pace of a board that had replied before is known. */
bool round_is_guess(const struct round *round)
{
    return !round->was_heard && round_unread(round) > 0;
}

int64_t round_challenge_us(const struct round *round)
{
    return round->challenged_us -
           (round_is_answerable(round) ? round->last_invited_us : round->invited_us);
}

/* A single unread invitation is swallowed. Only two of them cause another challenge. */
bool round_is_doubtful(const struct round *round)
{
    return round->is_crossed || round_unread(round) > 1 || count_read(round) > round->invitations;
}
