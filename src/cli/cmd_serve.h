/*
 * cmd_serve.h: --serve: a place that boards fetch their firmware from.
 */
#ifndef ESP_OTA_CLI_CMD_SERVE_H
#define ESP_OTA_CLI_CMD_SERVE_H

struct options;
struct report;

/* Serves until a signal, --serve-for or --until-confirmed. Returns the exit status. */
int cmd_serve_run(const struct options *options, struct report *report);

#endif
