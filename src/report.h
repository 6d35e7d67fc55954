/*
 * report.h: observers of events: what people see on standard error and programs on standard output.
 */
#ifndef REPORT_H
#define REPORT_H

#include "esp-ota.h"
#include "image.h"
#include "options.h"

struct report;

/* Chooses the form once: JSON lines on stdout (--json), a bar on a terminal or with -r, plain lines
 * otherwise, errors only with -q. image must outlive it. NULL when memory ran out. */
struct report *report_new(const struct options *options, const struct image *image);
void report_free(struct report *report);

/* An ota_event_fn; userdata is the struct report. */
void report_event(const struct ota_event *event, void *report);

/* Whether everything could be written so far; false: OTA_E_OUTPUT is due. */
bool report_flush(struct report *report);

/* A failure that belongs to no board (usage, image, no port): one sentence on stderr, and with JSON a
 * result object on stdout. report may be NULL (before the options are known). */
void report_failure(struct report *report, const struct ota_failure *failure, int exit_status);

/* The terminal's size may have changed, or the process was continued: measure and redraw. */
void report_redraw(struct report *report);

#endif
