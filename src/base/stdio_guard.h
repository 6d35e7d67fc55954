/*
 * stdio_guard.h: standard input, output and error: they exist before anything else is opened,
 * and nobody need wait for one whose reader does not read.
 */
#ifndef ESP_OTA_BASE_STDIO_GUARD_H
#define ESP_OTA_BASE_STDIO_GUARD_H

#include <stdbool.h>

/* A caller may have closed descriptors 0 to 2; the next socket would take the number, and a report
 * would go to a board. Each that is closed becomes one on which reading or writing fails as on a
 * closed one. A write beyond the limit of a file's size (ulimit -f) fails from now on, too, instead
 * of ending the program. */
void stdio_guard_secure(void);

/* Whether descriptor takes a write within patience_ms (-1: however long it takes) or before a
 * signal comes. A terminal that is held with Ctrl-S does not, nor does a pipe whose reader has
 * stopped: to write there would block the program, and the board would hang up. True also when a
 * write would fail, so that it is tried and its error seen. */
bool stdio_guard_takes(int fd, int patience_ms);

#endif
