/*
 * log_escape.h: makes a log safe for a terminal, without waiting for the ends of lines.
 */
#ifndef ESP_OTA_BOARDLOG_LOG_ESCAPE_H
#define ESP_OTA_BOARDLOG_LOG_ESCAPE_H

#include <stddef.h>

/* Bytes held back as the possible beginning of a character. All zero: none. */
struct log_escape {
    unsigned char bytes[3];
    size_t held;
};

/* Room for the escaped form of length bytes and of those held back. */
#define LOG_ESCAPE_ROOM(length) (6 * ((length) + sizeof((struct log_escape){{0}, 0}).bytes) + 1)

/* Copies the length bytes of source to target, which has LOG_ESCAPE_ROOM(length) bytes: ends of
 * lines as they are, everything else as escape_line() shows it. Returns the number of bytes
 * written. A stream may be cut into calls anywhere: the beginning of a character is held back until
 * the next bytes decide. */
size_t log_escape(struct log_escape *escape, char *target, const void *source, size_t length);

#endif
