/*
 * check.h: what --check does: says what a file is, and whether boards take it over the air.
 */
#ifndef CHECK_H
#define CHECK_H

#include "options.h"
#include "report.h"

/* Prints it on standard output. Returns the exit status: that of OTA_E_IMAGE when no board takes
 * the file, or when it cannot be read. */
int check_run(const struct options *options, struct report *report);

#endif
