/* countdown.c: see countdown.h. */
#include "output/countdown.h"

#include "base/diag.h"
#include "base/terminal.h"

#include <stdio.h>
#include <unistd.h>

const char *countdown_text(char text[COUNTDOWN_TEXT_MAX], const char *what, int64_t left_us,
                           size_t width)
{
    const int64_t seconds = left_us > 0 ? (left_us + SECONDS(1) - 1) / SECONDS(1) : 0;
    char left[32];

    snprintf(left, sizeof left, "%d:%02d left", (int)(seconds / 60), (int)(seconds % 60));
    int length = snprintf(text, COUNTDOWN_TEXT_MAX, "waiting for %s, %s", what, left);

    /* Some terminals wrap when the last column is written. */
    if (width > 0 && (size_t)length >= width)
        snprintf(text, COUNTDOWN_TEXT_MAX, "%.*s", (int)width - 1, left);
    return text;
}

void countdown_draw(const char *what, int64_t left_us)
{
    char text[COUNTDOWN_TEXT_MAX];

    diag_status(countdown_text(text, what, left_us, terminal_width(STDERR_FILENO)));
}
