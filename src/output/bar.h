/*
 * bar.h: the progress line as text that fits a width. Pure.
 */
#ifndef ESP_OTA_OUTPUT_BAR_H
#define ESP_OTA_OUTPUT_BAR_H

#include <stddef.h>
#include <stdint.h>

enum { BAR_LABELS = 4 };

struct bar {
    /* In front of the percentage: the longest text first, then shorter ones in case it does not
     * fit; NULL: none. */
    const char *labels[BAR_LABELS];
    size_t bytes;       /* acknowledged */
    size_t total;       /* not 0 */
    size_t unpacked;    /* what it was compressed from; 0: it is not compressed */
    int64_t elapsed_us; /* since the connection */
};

/* Bar, label, percent, sizes (without a label), rate, time left in at most width columns. All is
 * ASCII but what labels bring along. What does not fit is left out: the bar, the rate, the time
 * left, then the label becomes shorter; the percentage stays. target is always terminated. */
void bar_render(char *target, size_t capacity, size_t width, const struct bar *bar);

#endif
