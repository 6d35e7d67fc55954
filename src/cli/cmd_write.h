/*
 * cmd_write.h: the image as it would be sent, into a file (--output). Asks no board.
 */
#ifndef ESP_OTA_CLI_CMD_WRITE_H
#define ESP_OTA_CLI_CMD_WRITE_H

struct options;
struct report;

/* Reads, prepares and writes, and says so in one line; returns the exit status. The file is new and
 * whole, or what was there before. */
int cmd_write_run(const struct options *options, struct report *report);

#endif
