/*
 * report_json.h: the JSON form of the report, one object a line. report.c, cmd_list.c
 * and cmd_check.c use it.
 */
#ifndef ESP_OTA_OUTPUT_REPORT_JSON_H
#define ESP_OTA_OUTPUT_REPORT_JSON_H

#include "discovery/board_list.h"
#include "esp-ota.h"
#include "image/inspect.h"
#include "image/sign.h"

#include <stdio.h>

/* Each writes one line to stream at once and returns whether it got there. */
bool report_json_event(FILE *stream, const struct ota_event *event, enum ota_command command,
                       int64_t since_start_us);
bool report_json_summary(FILE *stream, const struct ota_totals *totals, enum ota_error outcome,
                         int exit_status, int64_t since_start_us);
bool report_json_board(FILE *stream, const struct board *board, int64_t since_start_us);
/* What --check found. */
struct report_check {
    const struct image *image; /* as it would be sent; its inspection is that of the file */
    enum inspect_sending sending;
    const char *verdict;
    const char *file_md5;
    const struct signature *signature; /* NULL: it was not to be verified */
};
bool report_json_check(FILE *stream, const struct report_check *check, int64_t since_start_us);
bool report_json_failure(FILE *stream, const struct ota_failure *failure, int exit_status,
                         int64_t since_start_us);

#endif
