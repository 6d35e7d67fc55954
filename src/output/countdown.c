/* countdown.c: see countdown.h. */
#include "output/countdown.h"

#include "base/diag.h"
#include "base/terminal.h"
#include "base/units.h"

#include <stdio.h>
#include <unistd.h>

const char *countdown_text(char text[COUNTDOWN_TEXT_MAX], const char *what, int64_t left_us)
{
    const int64_t seconds = left_us > 0 ? (left_us + SECONDS(1) - 1) / SECONDS(1) : 0;

    snprintf(text, COUNTDOWN_TEXT_MAX, "waiting for %s, %d:%02d left", what, (int)(seconds / 60),
             (int)(seconds % 60));
    return text;
}

void countdown_draw(const char *what, int64_t left_us)
{
    char text[COUNTDOWN_TEXT_MAX];
    const size_t width = terminal_width(STDERR_FILENO);

    countdown_text(text, what, left_us);
    if (width > 0 && width < sizeof text)
        text[width - 1] = '\0'; /* some terminals wrap when the last column is written */
    diag_status(text);
}
