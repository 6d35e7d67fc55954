/*
 * units.h: sizes, rates and durations as text for people, and times in microseconds. Pure.
 */
#ifndef ESP_OTA_BASE_UNITS_H
#define ESP_OTA_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Times in microseconds, as in names that end in _us. */
#define SECONDS(number) ((number)*INT64_C(1000000))
#define MILLISECONDS(number) ((number)*INT64_C(1000))

/* Of two moments, or of two durations. */
static inline int64_t lesser_us(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

static inline int64_t greater_us(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

/* Bytes. */
enum { KIB = 1024, MIB = 1024 * KIB, GIB = 1024 * MIB };

/* Each writes at most UNITS_TEXT_MAX bytes to target and returns it. */
enum { UNITS_TEXT_MAX = 32 };

/* "512 bytes"; "12.3 KiB"; "1.40 MiB" */
char *format_size(char target[UNITS_TEXT_MAX], size_t bytes);

/* A part of whole bytes, in the unit of the whole: "0.00 MiB". */
char *format_part(char target[UNITS_TEXT_MAX], size_t bytes, size_t whole);

/* "69.2 KiB/s"; "?" if no time has passed. */
char *format_rate(char target[UNITS_TEXT_MAX], size_t bytes, int64_t elapsed_us);

/* How long something was waited for in vain: "5.0 s"; "0.012 s" below a tenth of a second. */
char *format_wait(char target[UNITS_TEXT_MAX], double seconds);

#endif
