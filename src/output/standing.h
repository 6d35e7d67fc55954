/*
 * standing.h: where the boards of a fleet stand, in words. Pure, but for standing_show().
 */
#ifndef ESP_OTA_OUTPUT_STANDING_H
#define ESP_OTA_OUTPUT_STANDING_H

#include "esp-ota.h"

enum { STANDING_TEXT_MAX = 160, STANDING_NAME_MAX = 32 };

/* "12 of 40 done, 1 failed, 16 running, 2 retrying, 9 waiting", or, if is_short, "12/40 done, 1
 * failed, 16 run, 2 retry, 9 wait"; without what there is none of. Returns text. */
const char *standing_count(char text[STANDING_TEXT_MAX], const struct ota_totals *totals,
                           bool is_short);

/* The board that receives its image most slowly. Starts as {0}. */
struct standing_slowest {
    char name[STANDING_NAME_MAX]; /* shortened; "": none receives its image */
    double rate;                  /* bytes per microsecond */
    unsigned percent;
};

/* An ota_standing_fn: userdata is a struct standing_slowest. Boards whose transfer has only just
 * begun do not count, as their rate says nothing yet. */
void standing_find_slowest(const struct ota_standing *standing, void *userdata);

/* ", slowest attic 12%"; "" if there is none. Returns text. */
const char *standing_name_slowest(char text[STANDING_TEXT_MAX],
                                  const struct standing_slowest *slowest);

/* An ota_standing_fn: one line on standard error (diag_notice()) about what the board is doing.
 * userdata is a struct standing_filter. */
struct standing_filter {
    bool retries;         /* only boards that are retried, or only the others */
    const char *indent;   /* before each line */
    size_t shown, hidden; /* how many lines; beyond a limit they are only counted */
};
void standing_show(const struct ota_standing *standing, void *userdata);

#endif
