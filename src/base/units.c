/* units.c: see units.h. */
#include "base/units.h"

#include <stdio.h>

char *format_part(char target[UNITS_TEXT_MAX], size_t bytes, size_t whole)
{
    if (whole < KIB)
        snprintf(target, UNITS_TEXT_MAX, "%zu bytes", bytes);
    else if (whole < MIB)
        snprintf(target, UNITS_TEXT_MAX, "%.1f KiB", (double)bytes / KIB);
    else
        snprintf(target, UNITS_TEXT_MAX, "%.2f MiB", (double)bytes / MIB);
    return target;
}

char *format_size(char target[UNITS_TEXT_MAX], size_t bytes)
{
    return format_part(target, bytes, bytes);
}

char *format_rate(char target[UNITS_TEXT_MAX], size_t bytes, int64_t elapsed_us)
{
    double rate = elapsed_us > 0 ? (double)bytes / ((double)elapsed_us / 1e6) : 0;

    if (elapsed_us <= 0)
        snprintf(target, UNITS_TEXT_MAX, "?");
    else if (rate < MIB)
        snprintf(target, UNITS_TEXT_MAX, "%.1f KiB/s", rate / KIB);
    else
        snprintf(target, UNITS_TEXT_MAX, "%.1f MiB/s", rate / MIB);
    return target;
}

char *format_wait(char target[UNITS_TEXT_MAX], double seconds)
{
    snprintf(target, UNITS_TEXT_MAX, seconds < 0.1 ? "%.3f s" : "%.1f s", seconds);
    return target;
}
