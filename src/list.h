/*
 * list.h: -l/--list: the boards that announce themselves in this network.
 */
#ifndef LIST_H
#define LIST_H

#include "options.h"
#include "report.h"

/* Prints them on standard output, tells report what goes wrong, and returns the exit status. */
int list_run(const struct options *options, struct report *report);

#endif
