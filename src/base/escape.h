/*
 * escape.h: makes bytes from outside safe to show.
 */
#ifndef ESP_OTA_BASE_ESCAPE_H
#define ESP_OTA_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes source as printable UTF-8 into target (capacity bytes, always terminated): control
 * characters (C0, DEL, C1), backslashes, bytes that are not valid UTF-8, what shows nothing or no
 * more than a space (unicode_table.h), and combining marks on nothing or behind four others become
 * C escapes (\n, \x1b, \\, \u00ad, \U000e0041). What does not fit is cut at a character's border
 * and ends in "...". Returns target. capacity must be at least 8. */
char *escape_text(char *target, size_t capacity, const void *source, size_t length);
char *escape_string(char *target, size_t capacity, const char *source); /* the same, up to NUL */

/* The same for a line of a log, which is to be read as it was written: tabs and backslashes stay.
 * 6 * length + 1 bytes hold any line. */
char *escape_line(char *target, size_t capacity, const void *source, size_t length);

/* Whether text is valid UTF-8 in which nothing but backslashes would have to be escaped. */
bool escape_is_printable(const char *text);

/* Whether it is valid UTF-8 without control characters and without those that rearrange text. */
bool escape_is_harmless(const char *text);

/* Puts the characters back, in place, that escape_text() has escaped and escape_is_harmless()
 * allows, so that a name can be typed as it was shown. Returns text. */
char *escape_revert(char *text);

#endif
