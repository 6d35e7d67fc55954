/*
 * upload.h: what esp-ota is for: uploads to the boards that the options name.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include "options.h"
#include "report.h"

/* Runs until every board has its outcome, tells report everything, and returns the exit status. */
int upload_run(const struct options *options, struct report *report);

#endif
