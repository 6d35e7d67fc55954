/* Escapes bytes for the event lines. */
#ifndef DEVICE_EVENT_H
#define DEVICE_EVENT_H

#include <stddef.h>

enum { ESCAPED_ROOM = 1024 };

/* Writes a value for `key=value': unchanged if it is a plain word, else in double quotes, with C
 * escapes for all bytes but printable ASCII. Long values end in "...". Returns text. */
const char *event_value(const void *value, size_t length, char text[ESCAPED_ROOM]);

/* Writes a value as event_value() does, but always in quotes. */
const char *event_quoted(const void *value, size_t length, char text[ESCAPED_ROOM]);

#endif
