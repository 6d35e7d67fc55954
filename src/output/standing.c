/*
 * standing.c: see standing.h.
 */
#include "output/standing.h"

#include "base/diag.h"
#include "base/units.h"

#include <stdio.h>
#include <string.h>

enum { COUNT_MAX = 32, LINE_SPLITTER_MAX = 40 };

static const int64_t RATE_AFTER_US = 300000;

/* ", 2 retrying"; nothing for 0. */
static const char *describe_count(char text[COUNT_MAX], size_t number, const char *what)
{
    *text = '\0';
    if (number)
        snprintf(text, COUNT_MAX, ", %zu %s", number, what);
    return text;
}

const char *standing_count(char text[STANDING_TEXT_MAX], const struct ota_totals *totals,
                           bool is_short)
{
    char failed[COUNT_MAX], running[COUNT_MAX], retrying[COUNT_MAX], waiting[COUNT_MAX];
    size_t done = totals->confirmed + totals->failed + totals->skipped;
    size_t busy = done + totals->running + totals->retrying;

    snprintf(text, STANDING_TEXT_MAX, "%zu%s%zu done%s%s%s%s", done, is_short ? "/" : " of ",
             totals->boards, describe_count(failed, totals->failed, "failed"),
             describe_count(running, totals->running, is_short ? "run" : "running"),
             describe_count(retrying, totals->retrying, is_short ? "retry" : "retrying"),
             describe_count(waiting, totals->boards > busy ? totals->boards - busy : 0,
                            is_short ? "wait" : "waiting"));
    return text;
}

/* Cuts at the border of a character. */
static void shorten(char target[STANDING_NAME_MAX], const char *name)
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

static unsigned percent_of(const struct ota_standing *standing)
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
    slowest->percent = percent_of(standing);
    shorten(slowest->name, standing->board);
}

const char *standing_name_slowest(char text[STANDING_TEXT_MAX],
                                  const struct standing_slowest *slowest)
{
    *text = '\0';
    if (*slowest->name)
        snprintf(text, STANDING_TEXT_MAX, ", slowest %s %u%%", slowest->name, slowest->percent);
    return text;
}

static void show_transfer(const char *indent, const struct ota_standing *standing)
{
    char sent[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX];

    diag_notice("%s%s: %s, %u%% (%s of %s, %s)", indent, standing->board,
                ota_phase_name(standing->phase), percent_of(standing),
                format_size(sent, standing->bytes), format_size(total, standing->total),
                format_rate(rate, standing->bytes, standing->transfer_us));
}

void standing_show(const struct ota_standing *standing, void *userdata)
{
    struct standing_filter *filter = userdata;
    const char *indent = filter->indent, *board = standing->board;

    if ((standing->doing == OTA_DOING_RETRY) != filter->retries)
        return;
    if (filter->shown == LINE_SPLITTER_MAX) {
        filter->hidden++;
        return;
    }

    filter->shown++;
    if (standing->doing == OTA_DOING_RETRY)
        diag_notice("%s%s: waits for its next attempt%s%s%s%s", indent, board,
                    *standing->reason ? ", after " : "",
                    *standing->reason ? ota_phase_name(standing->phase) : "",
                    *standing->reason ? ": " : "", standing->reason);
    else if (standing->doing == OTA_DOING_PASSWORD)
        diag_notice("%s%s: waits for the password", indent, board);
    else if (standing->doing == OTA_DOING_LOG)
        diag_notice("%s%s: its log is followed", indent, board);
    else if (is_transferring(standing))
        show_transfer(indent, standing);
    else
        diag_notice("%s%s: %s", indent, board, ota_phase_name(standing->phase));
}
