/* Bytes from outside, made fit for a line of text. */
#ifndef DEVICE_EVENT_H
#define DEVICE_EVENT_H

#include <stddef.h>

enum { ESCAPED_ROOM = 1024 };

/* A value for `key=value': as it is if it is one plain word, else in double quotes, with C escapes
 * for what is not printable ASCII. Long values end in "...". Returns text. */
const char *event_value(const void *value, size_t length, char text[ESCAPED_ROOM]);

/* The same, always in quotes. */
const char *event_quoted(const void *value, size_t length, char text[ESCAPED_ROOM]);

#endif
