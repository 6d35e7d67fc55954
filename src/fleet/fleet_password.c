/*
 * fleet_password.c: one prompt for the password of all boards that ask. The typed password is tried
 * on one board, the prover, before the others see it:
 *
 *      board asks    -> it becomes the prover, if there is none; else it is parked
 *      typed         -> the prover gets it
 *      accepted      -> so do all others, also those that ask later
 *      rejected      -> the question is asked again, three times in all; then nobody gets one
 *      no word on it -> another board becomes the prover
 *
 * A parked board holds no slot. Its session is closed, which leaves the board idle.
 */
#include "fleet/fleet_internal.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/units.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const int64_t PROMPT_US = SECONDS(110); /* a session waits for 120 s */

void fleet_password_dismiss(struct fleet *fleet)
{
    prompt_free(fleet->prompt);
    fleet->prompt = NULL;
}

static void give(struct member *member, const char *password)
{
    member->asks = false;
    member->was_given = password;
    job_set_password(member->job, password);
}

static void withhold(struct member *member)
{
    member->asks = false;
    member->was_given = NULL;
    job_withhold_password(member->job);
}

static void answer_all(struct fleet *fleet)
{
    bool is_wrong = fleet->rejections == REJECTIONS_MAX;

    for (size_t i = 0; i < fleet->begun; i++) {
        struct member *member = &fleet->members[i];
        bool waits = member->asks || member->state == PARKED;

        if (waits && is_wrong)
            withhold(member);
        else if (waits)
            give(member, fleet->typed_password);
        if (member->state == PARKED)
            fleet_queue(member);
    }
}

/* From now on every board gets this password; NULL: none. */
static void settle_password(struct fleet *fleet)
{
    fleet->is_settled = true;
    fleet->prover = NULL;
    fleet_look_later(fleet);
}

static void on_password_typed(const char *answer, void *userdata)
{
    struct fleet *fleet = userdata;

    fleet->typed_password = answer ? secret_copy(answer) : NULL;
    if (answer && !fleet->typed_password)
        diag_warning("the typed password cannot be kept: %s", strerror(ENOMEM));
    fleet_password_dismiss(fleet);
    if (!fleet->typed_password)
        settle_password(fleet);
    fleet_password_turn(fleet);
}

static void ask_password(struct fleet *fleet)
{
    char name[ASSIGNMENT_LABEL_MAX], text[sizeof name + 64];

    snprintf(text, sizeof text,
             "Password of %s%s: ", assignment_label(name, fleet->prover->assignment),
             fleet->config.count > 1 ? " (and of the others that ask)" : "");
    fleet->prompt = prompt_start(fleet->config.loop, text, PROMPT_US, on_password_typed, fleet);
    if (fleet->prompt)
        return;
    if (error_is_local(errno))
        diag_warning("the password cannot be asked for: %s", strerror(errno));
    settle_password(fleet);
    answer_all(fleet);
}

/* Prefers a board that waits in an open session, as others would have to be invited again. */
static struct member *find_prover(struct fleet *fleet)
{
    struct member *parked = NULL;

    for (size_t i = 0; i < fleet->begun; i++) {
        struct member *member = &fleet->members[i];

        if (member->asks)
            return member;
        if (!parked && member->state == PARKED)
            parked = member;
    }
    return parked;
}

static void prove_password(struct fleet *fleet)
{
    if (!fleet->prover)
        fleet->prover = find_prover(fleet);

    struct member *prover = fleet->prover;
    if (prover && prover->state == PARKED)
        fleet_queue(prover);
    else if (prover && prover->asks && fleet->typed_password)
        give(prover, fleet->typed_password);
    else if (prover && prover->asks)
        ask_password(fleet);
}

static void park_others(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->begun; i++) {
        struct member *member = &fleet->members[i];

        if (!member->asks || member == fleet->prover)
            continue;
        member->asks = false;
        job_park(member->job);
        fleet_set_state(member, PARKED);
    }
}

void fleet_password_turn(struct fleet *fleet)
{
    if (fleet->is_settled) {
        answer_all(fleet);
        return;
    }
    if (!fleet->prompt)
        prove_password(fleet);
    park_others(fleet);
}

/* A session may be closed from the loop only, so the others are parked later. */
void fleet_password_asked(struct member *member)
{
    struct fleet *fleet = member->fleet;

    member->asks = true;
    fleet_look_later(fleet);
    if (fleet->is_settled)
        answer_all(fleet);
    else if (!fleet->prompt)
        prove_password(fleet);
}

/* A board whose image was sent may have an older one. */
static bool is_in_question(const struct member *member)
{
    return !member->fleet->is_settled && member->was_given &&
           member->was_given == member->fleet->typed_password;
}

void fleet_password_accepted(struct member *member)
{
    if (is_in_question(member))
        settle_password(member->fleet);
}

/* Once one board has accepted the password, a board that rejects it has another password. */
bool fleet_password_rejected(struct member *member)
{
    struct fleet *fleet = member->fleet;

    if (!is_in_question(member))
        return false;
    member->was_given = NULL;
    fleet->rejected[fleet->rejections++] = fleet->typed_password;
    fleet->typed_password = NULL;
    if (fleet->rejections < REJECTIONS_MAX)
        return true;
    settle_password(fleet);
    return false;
}

void fleet_password_left(struct member *member)
{
    struct fleet *fleet = member->fleet;

    member->asks = false;
    if (fleet->prover == member)
        fleet->prover = NULL;
    if (fleet->prompt && !fleet->prover && !find_prover(fleet))
        fleet_password_dismiss(fleet);
    fleet_look_later(fleet);
}

/* It is unproven, so the board must ask for it again. */
void fleet_password_rested(struct member *member)
{
    fleet_password_left(member);
    if (member->was_given && !member->fleet->is_settled)
        give(member, NULL);
}

void fleet_password_free(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->rejections; i++)
        secret_free(fleet->rejected[i]);
    secret_free(fleet->typed_password);
}
