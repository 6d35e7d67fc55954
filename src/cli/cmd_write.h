/*
 * cmd_write.h: the image as it would be sent, into a file (--output). Asks no board.
 */
#ifndef ESP_OTA_CLI_CMD_WRITE_H
#define ESP_OTA_CLI_CMD_WRITE_H

#include "cli/options.h"
#include "output/report.h"

/* Reads, prepares and writes, and says so in one line; returns the exit status. The file is new and
 * whole, or what was there before. */
int cmd_write_run(const struct options *options, struct report *report);

#endif
