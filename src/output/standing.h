/*
 * standing.h: describes the progress of a fleet in words. Pure, except standing_show().
 */
#ifndef ESP_OTA_OUTPUT_STANDING_H
#define ESP_OTA_OUTPUT_STANDING_H

#include "esp-ota/totals.h"

enum { STANDING_TEXT_MAX = 256, STANDING_NAME_MAX = 32, STANDING_NUMBER_MAX = 32 };

/* Writes ", 2 retrying", or "" if number is 0. Returns text. */
const char *standing_describe_number(char text[STANDING_NUMBER_MAX], size_t number,
                                     const char *what);

/* Writes "12 of 40 done, 1 failed, 16 running, 2 retrying, 9 waiting", or, if is_short,
 * "12/40 done, 1 failed, 16 run, 2 retry, 9 wait". Omits numbers that are 0. Returns text. */
const char *standing_count(char text[STANDING_TEXT_MAX], const struct ota_totals *totals,
                           bool is_short);

/* The board with the slowest transfer in progress. Starts as {0}. */
struct standing_slowest {
    char name[STANDING_NAME_MAX]; /* shortened; "": no transfer is in progress */
    double rate;                  /* bytes per microsecond */
    unsigned percent;
};

/* An ota_standing_fn: userdata is a struct standing_slowest. Transfers that have just begun are
 * ignored, as their rate is not yet representative. */
void standing_find_slowest(const struct ota_standing *standing, void *userdata);

/* Writes ", slowest attic 12%, all" for the place before the percentage of all, or "" if there is
 * no slowest board. Returns text. */
const char *standing_name_slowest(char text[STANDING_TEXT_MAX],
                                  const struct standing_slowest *slowest);

/* The boards that --wait waits for. Starts as {0}. */
struct standing_wait {
    size_t count;
    int64_t left_us; /* until the last of them is given up */
};

/* An ota_standing_fn: userdata is a struct standing_wait. */
void standing_find_wait(const struct ota_standing *standing, void *userdata);

struct standing_filter {
    bool retries;       /* show only boards that wait for a retry; false: only the others */
    const char *indent; /* text before each line */
    size_t shown;       /* number of lines that were printed */
    size_t hidden;      /* number of lines beyond the limit; they are counted only */
};

/* An ota_standing_fn: prints one line about the board's state to standard error (diag_notice()).
 * userdata is a struct standing_filter. */
void standing_show(const struct ota_standing *standing, void *userdata);

#endif
