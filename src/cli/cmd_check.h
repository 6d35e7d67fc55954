/*
 * cmd_check.h: what --check does: says what a file is, and whether boards take it over the air.
 */
#ifndef ESP_OTA_CLI_CMD_CHECK_H
#define ESP_OTA_CLI_CMD_CHECK_H

struct options;
struct report;

/* Prints it on standard output. Returns the exit status: that of OTA_E_IMAGE when no board takes
 * the file, or when it cannot be read. */
int cmd_check_run(const struct options *options, struct report *report);

#endif
