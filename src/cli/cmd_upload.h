/*
 * cmd_upload.h: the upload to the boards that the options name, which is the main command of
 * esp-ota.
 */
#ifndef ESP_OTA_CLI_CMD_UPLOAD_H
#define ESP_OTA_CLI_CMD_UPLOAD_H

struct options;
struct report;

/* Runs until every board has its outcome, tells report everything, and returns the exit status. */
int cmd_upload_run(const struct options *options, struct report *report);

#endif
