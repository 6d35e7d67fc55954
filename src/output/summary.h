/*
 * summary.h: what is to be said at the end of a fleet: which boards failed, by cause, with the
 * remedy once; and which were not tried.
 */
#ifndef ESP_OTA_OUTPUT_SUMMARY_H
#define ESP_OTA_OUTPUT_SUMMARY_H

#include "esp-ota.h"

struct summary;

struct summary *summary_new(void); /* NULL when memory ran out */
void summary_free(struct summary *summary);

/* Takes note of a RESULT or SKIPPED event; others are ignored. remedy is that of a failure, and
 * outlives the summary. */
void summary_add(struct summary *summary, const struct ota_event *event, const char *remedy);

/* Writes it to standard error (diag.h): errors, and with them what was not tried; on success only at
 * the level of information. */
void summary_show(struct summary *summary, const struct ota_totals *totals, int64_t elapsed_us);

#endif
