/*
 * escape.h: makes bytes from outside safe to show.
 */
#ifndef ESP_OTA_BASE_ESCAPE_H
#define ESP_OTA_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes source as printable UTF-8 into target, which has capacity bytes (at least 8) and is always
 * terminated. C escapes (\n, \x1b, \\, \u00ad, \U000e0041) replace control characters (C0, DEL,
 * C1), backslashes, bytes that are not valid UTF-8, characters without a glyph (unicode_table.h),
 * and combining marks on nothing or after four others. Text that does not fit is cut between two
 * characters and ends in "...". The password in a URL is hidden (user_info.h). Returns target. */
char *escape_text(char *target, size_t capacity, const void *source, size_t length);
char *escape_string(char *target, size_t capacity, const char *source); /* up to NUL */

/* Like escape_string(), for what may be meant as a board or an address: the password in
 * "USER:PASSWORD@HOST" is hidden, too. */
char *escape_board(char *target, size_t capacity, const char *source);

/* Like escape_text(), for a line of a log: tabs, backslashes and URLs stay. Any line fits into
 * 6 * length + 1 bytes. */
char *escape_line(char *target, size_t capacity, const void *source, size_t length);

/* Like escape_text(), for a regular expression in a message: backslashes stay. */
char *escape_pattern(char *target, size_t capacity, const void *source, size_t length);

/* Whether text is valid UTF-8 and needs no escapes but those of backslashes. */
bool escape_is_printable(const char *text);

/* Whether text is valid UTF-8 without control characters or characters that rearrange text. */
bool escape_is_harmless(const char *text);

/* If escape_text() would show a harmless text (escape_is_harmless()) like this, puts that text in
 * its place; else changes nothing. A name can thus be typed as it was shown. Returns text. */
char *escape_revert(char *text);

#endif
