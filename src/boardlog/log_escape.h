/*
 * log_escape.h: makes a log safe for a terminal that shows it as it comes, line by line or not.
 */
#ifndef ESP_OTA_BOARDLOG_LOG_ESCAPE_H
#define ESP_OTA_BOARDLOG_LOG_ESCAPE_H

#include <stddef.h>

/* What may be the beginning of a character. All zero: nothing. */
struct log_escape {
    unsigned char bytes[3];
    size_t held;
};

/* Room for what length bytes become, with those that were held back. */
#define LOG_ESCAPE_ROOM(length) (6 * ((length) + sizeof((struct log_escape){{0}, 0}).bytes) + 1)

/* Copies the length bytes of source to target, which has LOG_ESCAPE_ROOM(length) bytes: ends of
 * lines as they are, everything else as escape_line() shows it. Returns the number of bytes written.
 * A stream may be cut into calls anywhere: the beginning of a character is held back until the next
 * bytes decide. */
size_t log_escape(struct log_escape *escape, char *target, const void *source, size_t length);

#endif
