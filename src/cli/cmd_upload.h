/*
 * cmd_upload.h: what esp-ota is for: uploads to the boards that the options name.
 */
#ifndef ESP_OTA_CLI_CMD_UPLOAD_H
#define ESP_OTA_CLI_CMD_UPLOAD_H

#include "cli/options.h"
#include "output/report.h"

/* Runs until every board has its outcome, tells report everything, and returns the exit status. */
int cmd_upload_run(const struct options *options, struct report *report);

#endif
