/*
 * report_json.h: the JSON form of the report: one object a line.
 */
#ifndef ESP_OTA_OUTPUT_REPORT_JSON_H
#define ESP_OTA_OUTPUT_REPORT_JSON_H

#include "base/string_list.h"
#include "discovery/board_list.h"
#include "esp-ota/command.h"
#include "esp-ota/error.h"
#include "esp-ota/event.h"
#include "esp-ota/totals.h"
#include "image/inspect.h"
#include "image/sign.h"

#include <stdint.h>
#include <stdio.h>

/* Each function writes one line to stream. False if that failed: to a stream in memory, that memory
 * has run out. */
bool report_json_event(FILE *stream, const struct ota_event *event, enum ota_command command,
                       int64_t since_start_us);
bool report_json_summary(FILE *stream, const struct ota_totals *totals, enum ota_error outcome,
                         int exit_status, int64_t since_start_us);
bool report_json_board(FILE *stream, const struct board *board, int64_t since_start_us);

/* The findings of --check. */
struct report_check {
    const struct image *image; /* the image to be sent, with the inspection of the file */
    enum inspect_sending sending;
    const char *verdict;
    const char *file_md5;
    const struct signature *signature; /* NULL: verification was not asked for */
};

bool report_json_check(FILE *stream, const struct report_check *check, int64_t since_start_us);
/* What --output has written, and where; path as it was given. */
bool report_json_written(FILE *stream, const struct image *image, const char *path,
                         int64_t since_start_us);
/* Where boards are served: URLs without user or password. */
bool report_json_serving(FILE *stream, const struct strings *urls, uint16_t port,
                         int64_t since_start_us);
/* A setting that --show-config shows. */
struct report_setting {
    const char *section; /* "board kitchen"; NULL: a general one */
    const char *name, *value;
    const char *file; /* NULL: it is in no file */
    size_t line;
};

bool report_json_setting(FILE *stream, const struct report_setting *setting,
                         int64_t since_start_us);
bool report_json_failure(FILE *stream, const struct ota_failure *failure, int exit_status,
                         int64_t since_start_us);

#endif
