/*
 * cmd_list.h: -l/--list: the boards that announce themselves in this network.
 */
#ifndef ESP_OTA_CLI_CMD_LIST_H
#define ESP_OTA_CLI_CMD_LIST_H

struct options;
struct report;

/* Prints them on standard output, tells report what goes wrong, and returns the exit status. */
int cmd_list_run(const struct options *options, struct report *report);

#endif
