/*
 * standing.c: sentences about the progress of a fleet.
 */
#include "output/standing.h"

#include "base/diag.h"
#include "base/units.h"

#include <stdio.h>
#include <string.h>

enum { LINES_MAX = 40, RETRY_MAX = OTA_MESSAGE_MAX + 64 };

static const int64_t RATE_AFTER_US = MILLISECONDS(300);

const char *standing_describe_number(char text[STANDING_NUMBER_MAX], size_t number,
                                     const char *what)
{
    *text = '\0';
    if (number)
        snprintf(text, STANDING_NUMBER_MAX, ", %zu %s", number, what);
    return text;
}

const char *standing_count(char text[STANDING_TEXT_MAX], const struct ota_totals *totals,
                           bool is_short)
{
    char failed[STANDING_NUMBER_MAX], running[STANDING_NUMBER_MAX];
    char retrying[STANDING_NUMBER_MAX], waiting[STANDING_NUMBER_MAX];
    size_t done = totals->confirmed + totals->failed + totals->skipped;
    size_t started = done + totals->running + totals->retrying;
    size_t left = totals->boards > started ? totals->boards - started : 0;

    standing_describe_number(failed, totals->failed, "failed");
    standing_describe_number(running, totals->running, is_short ? "run" : "running");
    standing_describe_number(retrying, totals->retrying, is_short ? "retry" : "retrying");
    standing_describe_number(waiting, left, is_short ? "wait" : "waiting");

    snprintf(text, STANDING_TEXT_MAX, "%zu%s%zu done%s%s%s%s", done, is_short ? "/" : " of ",
             totals->boards, failed, running, retrying, waiting);
    return text;
}

/* Shortens name to the size of target, without cutting a character of several bytes. */
static void shorten_name(char target[STANDING_NAME_MAX], const char *name)
{
    static const char dots[] = "...";
    size_t length = STANDING_NAME_MAX - sizeof dots;

    if (strlen(name) < STANDING_NAME_MAX) {
        snprintf(target, STANDING_NAME_MAX, "%s", name);
        return;
    }

    while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80)
        length--;
    snprintf(target, STANDING_NAME_MAX, "%.*s%s", (int)length, name, dots);
}

static unsigned percent_sent(const struct ota_standing *standing)
{
    return standing->total ? (unsigned)((double)standing->bytes * 100 / (double)standing->total)
                           : 0;
}

static bool is_transferring(const struct ota_standing *standing)
{
    return standing->doing == OTA_DOING_UPLOAD && standing->phase == OTA_PHASE_TRANSFER &&
           standing->total > 0;
}

void standing_find_slowest(const struct ota_standing *standing, void *userdata)
{
    struct standing_slowest *slowest = userdata;

    if (!is_transferring(standing) || standing->transfer_us < RATE_AFTER_US)
        return;

    double rate = (double)standing->bytes / (double)standing->transfer_us;
    if (*slowest->name && slowest->rate <= rate)
        return;

    slowest->rate = rate;
    slowest->percent = percent_sent(standing);
    shorten_name(slowest->name, standing->board);
}

const char *standing_name_slowest(char text[STANDING_TEXT_MAX],
                                  const struct standing_slowest *slowest)
{
    *text = '\0';
    if (*slowest->name)
        snprintf(text, STANDING_TEXT_MAX, ", slowest %s %u%%, all", slowest->name,
                 slowest->percent);
    return text;
}

void standing_find_wait(const struct ota_standing *standing, void *userdata)
{
    struct standing_wait *wait = userdata;

    if (!standing->is_waited_for)
        return;
    if (wait->count++ == 0 || standing->wait_left_us > wait->left_us)
        wait->left_us = standing->wait_left_us;
}

/* "; attempt 2 of 3, after invitation: REASON"; "" if nothing failed before. With --wait, the first
 * attempt may begin several times. */
static const char *describe_retry(char text[RETRY_MAX], const struct ota_standing *standing)
{
    *text = '\0';
    if (!*standing->reason)
        return text;

    if (standing->attempt > 1)
        snprintf(text, RETRY_MAX, "; attempt %u of %u, after %s: %s", standing->attempt,
                 standing->attempts, ota_phase_name(standing->ended_in), standing->reason);
    else
        snprintf(text, RETRY_MAX, "; after %s: %s", ota_phase_name(standing->ended_in),
                 standing->reason);
    return text;
}

static void show_attempt(const char *indent, const struct ota_standing *standing)
{
    char sent[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX], retry[RETRY_MAX];
    const char *phase = ota_phase_name(standing->phase);

    describe_retry(retry, standing);
    if (is_transferring(standing))
        diag_notice("%s%s: %s, %u%% (%s of %s, %s)%s", indent, standing->board, phase,
                    percent_sent(standing), format_size(sent, standing->bytes),
                    format_size(total, standing->total),
                    format_rate(rate, standing->bytes, standing->transfer_us), retry);
    else
        diag_notice("%s%s: %s%s", indent, standing->board, phase, retry);
}

/* "attempt 2 of 3 in 2 s"; "its next attempt" if that is not counted, or waits for others. */
static const char *describe_next(char text[STANDING_TEXT_MAX], const struct ota_standing *standing)
{
    if (standing->next_attempt)
        snprintf(text, STANDING_TEXT_MAX, "attempt %u of %u in %.0f s", standing->next_attempt,
                 standing->attempts, (double)standing->pause_left_us / 1e6);
    else
        snprintf(text, STANDING_TEXT_MAX, "its next attempt");
    return text;
}

static void show_pause(const char *indent, const struct ota_standing *standing)
{
    char next[STANDING_TEXT_MAX];

    describe_next(next, standing);
    if (*standing->reason)
        diag_notice("%s%s: waits for %s, after %s: %s", indent, standing->board, next,
                    ota_phase_name(standing->ended_in), standing->reason);
    else
        diag_notice("%s%s: waits for %s", indent, standing->board, next);
}

void standing_show(const struct ota_standing *standing, void *userdata)
{
    struct standing_filter *filter = userdata;
    const char *indent = filter->indent, *board = standing->board;

    if ((standing->doing == OTA_DOING_RETRY) != filter->retries)
        return;
    if (filter->shown == LINES_MAX) {
        filter->hidden++;
        return;
    }

    filter->shown++;
    if (standing->doing == OTA_DOING_RETRY)
        show_pause(indent, standing);
    else if (standing->doing == OTA_DOING_PASSWORD)
        diag_notice("%s%s: waits for the password", indent, board);
    else if (standing->doing == OTA_DOING_LOG)
        diag_notice("%s%s: its log is followed", indent, board);
    else
        show_attempt(indent, standing);
}
