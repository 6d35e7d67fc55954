/*
 * bar.c: the layout of the progress line, and the estimate of the time left.
 */
#include "output/bar.h"

#include "base/units.h"

#include <stdio.h>
#include <string.h>

enum {
    BAR_MIN = 10,
    BAR_MAX = 40,
    LABEL_MAX = 256,
    TAIL_MAX = LABEL_MAX + 6 * UNITS_TEXT_MAX,
    UNPACKED_MAX = 2 * UNITS_TEXT_MAX
};

static const double US_PER_S = 1e6;
static const int64_t ESTIMATE_AFTER_US = MILLISECONDS(300); /* before, rates mislead */
static const double LONGEST_LEFT_S = 359999;                /* 99:59:59 */

static char *describe_time_left(char *target, const struct bar *bar)
{
    if (bar->bytes == 0 || bar->elapsed_us < ESTIMATE_AFTER_US) {
        snprintf(target, UNITS_TEXT_MAX, "-:-- left");
        return target;
    }

    double left =
        (double)bar->elapsed_us / US_PER_S * (double)(bar->total - bar->bytes) / (double)bar->bytes;
    if (left > LONGEST_LEFT_S)
        left = LONGEST_LEFT_S;

    unsigned seconds = (unsigned)(left + 0.999);
    if (seconds < 3600)
        snprintf(target, UNITS_TEXT_MAX, "%u:%02u left", seconds / 60, seconds % 60);
    else
        snprintf(target, UNITS_TEXT_MAX, "%u:%02u:%02u left", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    return target;
}

static void draw_cells(char *target, size_t columns, const struct bar *bar)
{
    size_t filled = (size_t)((double)bar->bytes / (double)bar->total * (double)columns);

    target[0] = '[';
    memset(target + 1, ' ', columns);
    memset(target + 1, '=', filled);
    if (filled < columns)
        target[1 + filled] = '>';
    memcpy(target + 1 + columns, "] ", sizeof "] ");
}

/* "  (from 290.6 KiB)" */
static const char *describe_unpacked_size(char target[UNPACKED_MAX], const struct bar *bar)
{
    char size[UNITS_TEXT_MAX];

    target[0] = '\0';
    if (bar->unpacked)
        snprintf(target, UNPACKED_MAX, "  (from %s)", format_size(size, bar->unpacked));
    return target;
}

/* Writes the longest label that fits, followed by as many details as fit. The length is counted in
 * bytes, as no character has fewer bytes than columns. */
static void describe_labelled(char target[TAIL_MAX], size_t width, const struct bar *bar,
                              const char *rate, const char *end, unsigned percent)
{
    for (size_t i = 0; i < BAR_LABELS && bar->labels[i]; i++) {
        const char *label = bar->labels[i];

        snprintf(target, TAIL_MAX, "%.*s %3u%%  %11s  %s", LABEL_MAX, label, percent, rate, end);
        if (strlen(target) > width)
            snprintf(target, TAIL_MAX, "%.*s %3u%%  %s", LABEL_MAX, label, percent, end);
        if (strlen(target) > width)
            snprintf(target, TAIL_MAX, "%.*s %3u%%", LABEL_MAX, label, percent);
        if (strlen(target) <= width)
            return;
    }
}

/* Writes the text beside the bar: as many details as fit the width, at least the percentage. */
static void describe_progress(char target[TAIL_MAX], size_t width, const struct bar *bar)
{
    char size[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX], left[UNITS_TEXT_MAX], unpacked[UNPACKED_MAX];
    const char *end = bar->bytes < bar->total ? describe_time_left(left, bar)
                      : bar->is_over          ? "delivered"
                                              : "verifying";
    unsigned percent = (unsigned)((double)bar->bytes * 100 / (double)bar->total);

    format_part(size, bar->bytes, bar->total);
    format_rate(rate, bar->bytes, bar->elapsed_us);
    if (bar->labels[0])
        describe_labelled(target, width, bar, rate, end, percent);
    else
        snprintf(target, TAIL_MAX, "%3u%%  %10s  %11s  %s%s", percent, size, rate, end,
                 describe_unpacked_size(unpacked, bar));

    if (strlen(target) + BAR_MIN + 3 > width && bar->unpacked)
        snprintf(target, TAIL_MAX, "%3u%%  %10s  %11s  %s", percent, size, rate, end);
    if (strlen(target) > width && !bar->labels[0])
        snprintf(target, TAIL_MAX, "%3u%%  %11s", percent, rate);
    if (strlen(target) > width)
        snprintf(target, TAIL_MAX, "%u%%", percent);
}

void bar_render(char *target, size_t capacity, size_t width, const struct bar *bar)
{
    char drawn[BAR_MAX + 8] = "";
    char tail[TAIL_MAX];
    struct bar part = *bar;

    if (part.bytes > part.total)
        part.bytes = part.total;
    if (width > 0)
        width--; /* some terminals wrap when the last column is written */
    describe_progress(tail, width, &part);

    size_t used = strlen(tail) + strlen("[] ");
    size_t room = width > used ? width - used : 0;
    if (room >= BAR_MIN)
        draw_cells(drawn, room < BAR_MAX ? room : BAR_MAX, &part);

    snprintf(target, capacity, "%s%s", drawn, tail);
    if (width < capacity)
        target[width] = '\0';
}
