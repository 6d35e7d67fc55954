/*
 * text_stream.h: a stream that prints into memory, for texts of which no part may get lost
 * unnoticed. That of open_memstream() tells neither of a lack of memory between two prints nor of
 * one at its end (glibc 2.36), and goes on.
 */
#ifndef ESP_OTA_BASE_TEXT_STREAM_H
#define ESP_OTA_BASE_TEXT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The fields but file belong to text_stream.c until the end. Must not move. */
struct text_stream {
    FILE *file; /* to print to */
    char *bytes;
    size_t size, capacity;
};

/* False when memory has run out; then file is NULL. */
bool text_stream_open(struct text_stream *stream);

/* Closes the stream. Afterwards bytes is a string of size bytes, which the caller frees. False if
 * memory ran out for any part of it; then bytes is NULL. */
bool text_stream_close(struct text_stream *stream);

#endif
