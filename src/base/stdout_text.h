/*
 * stdout_text.h: text for standard output, collected in memory and then written whole. stdio would
 * drop what a descriptor in non-blocking mode does not take at once, as a pipe to a slow reader.
 */
#ifndef ESP_OTA_BASE_STDOUT_TEXT_H
#define ESP_OTA_BASE_STDOUT_TEXT_H

#include "base/text_stream.h"

#include <stdbool.h>
#include <stdio.h>

struct write_queue;

/* Must not move until it is written. */
struct stdout_text {
    FILE *stream;              /* to print to */
    struct text_stream memory; /* belongs to stdout_text.c */
};

/* False when memory has run out; then stdout_text_write() fails, too. */
bool stdout_text_open(struct stdout_text *text);

/* Writes what was printed to standard output (stdio_guard_write()), and frees it. Returns 0 or
 * errno; ENOMEM: nothing was written, as not all of it could be kept. */
int stdout_text_write(struct stdout_text *text, int patience_ms);

/* The same, but puts it into a queue of standard output (write_queue_put()). */
int stdout_text_put(struct stdout_text *text, struct write_queue *queue);

#endif
