/*
 * bar.h: renders the progress line in a given width. Pure.
 */
#ifndef ESP_OTA_OUTPUT_BAR_H
#define ESP_OTA_OUTPUT_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BAR_LABELS = 4 };

struct bar {
    /* Labels for the place before the percentage, longest first. The first one that fits is used.
     * NULL ends the list, and labels[0] may be NULL. */
    const char *labels[BAR_LABELS];
    size_t bytes;       /* bytes that the board has acknowledged; drawn as total at most */
    size_t total;       /* not 0 */
    size_t unpacked;    /* size before compression; 0: not compressed */
    int64_t elapsed_us; /* time since the connection was made */
    bool is_over;       /* it is not drawn again: the board's verdict is not awaited any more */
};

/* Renders bar, label, percentage, size (if there is no label), rate and time left in at most width
 * columns. Only labels can contain characters outside ASCII. Parts that do not fit are left out in
 * this order: the bar, the rate, the time left. Then a shorter label is tried. The percentage
 * always stays. target is always terminated. */
void bar_render(char *target, size_t capacity, size_t width, const struct bar *bar);

#endif
