/*
 * output.h: the image as it would be sent, into a file (--output). Asks no board.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "options.h"
#include "report.h"

/* Reads, prepares and writes, and says so in one line; returns the exit status. The file is new and
 * whole, or what was there before. */
int output_run(const struct options *options, struct report *report);

#endif
