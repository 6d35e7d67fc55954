/*
 * metrics.h: the last upload to each board, as text in Prometheus' exposition format for the
 * textfile collector of node_exporter. The file is read back, so that boards without an upload in
 * this run, and the time of the last success, stay.
 */
#ifndef ESP_OTA_OUTPUT_METRICS_H
#define ESP_OTA_OUTPUT_METRICS_H

#include "esp-ota/command.h"
#include "esp-ota/error.h"
#include "esp-ota/event.h"

#include <stddef.h>
#include <time.h>

enum { METRICS_SIZE_MAX = 64 * 1024 * 1024 }; /* bytes of a file: 40,000 boards */

struct metrics;

/* Reads and checks the file, if there is one, before any board is contacted. Fails with OTA_E_USAGE
 * if something else has written it, OTA_E_OUTPUT if it cannot be replaced, or OTA_E_INTERNAL;
 * *metrics is NULL then. The path must outlive it. */
enum ota_error metrics_open(struct metrics **metrics, const char *path,
                            struct ota_failure *failure);

/* Notes a board's result, as of the time now. Other events are ignored, as is a result without an
 * upload: the log was followed, or a signal came before a byte was sent. */
void metrics_add(struct metrics *metrics, const struct ota_event *event, enum ota_command command,
                 time_t now);

/* Replaces the file: what it says now, and on top the results. Fails with OTA_E_OUTPUT or
 * OTA_E_INTERNAL. Does nothing without results. */
enum ota_error metrics_write(struct metrics *metrics, struct ota_failure *failure);

void metrics_free(struct metrics *metrics); /* NULL is allowed */

/* -- for tests -- */

struct metrics *metrics_new(const char *path); /* NULL: out of memory */

/* Parses what metrics_text() returns, and adds it; what is known of a board and image is replaced.
 * text is followed by NUL. Fails with OTA_E_USAGE or OTA_E_INTERNAL. */
enum ota_error metrics_parse(struct metrics *metrics, const char *text, size_t length,
                             struct ota_failure *failure);

/* All that is known. NULL: out of memory. The caller frees it. */
char *metrics_text(const struct metrics *metrics, size_t *length);

#endif
