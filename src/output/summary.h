/*
 * summary.h: the summary at the end of a fleet: failed boards, in groups by cause and remedy, and
 * untried boards.
 */
#ifndef ESP_OTA_OUTPUT_SUMMARY_H
#define ESP_OTA_OUTPUT_SUMMARY_H

#include "esp-ota/event.h"
#include "esp-ota/totals.h"

#include <stdint.h>

struct summary;

struct summary *summary_new(void); /* NULL if memory runs out */
void summary_free(struct summary *summary);

/* Records a RESULT or SKIPPED event; other events are ignored. remedy belongs to a failure and must
 * outlive the summary. */
void summary_add(struct summary *summary, const struct ota_event *event, const char *remedy);

/* Writes the summary to standard error (base/diag.h). Failures and boards that were not tried are
 * errors; a success is information. */
void summary_show(struct summary *summary, const struct ota_totals *totals, int64_t elapsed_us);

#endif
