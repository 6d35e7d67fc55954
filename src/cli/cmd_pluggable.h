/*
 * cmd_pluggable.h: --pluggable-discovery and --pluggable-monitor: a tool of an Arduino IDE.
 */
#ifndef ESP_OTA_CLI_CMD_PLUGGABLE_H
#define ESP_OTA_CLI_CMD_PLUGGABLE_H

struct options;
struct report;

/* Answers the IDE until it ends the conversation, tells report what goes wrong, and returns the
 * exit status. */
int cmd_pluggable_run(const struct options *options, struct report *report);

#endif
