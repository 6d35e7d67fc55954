/*
 * text.h: small operations on strings: appending formatted text, listing, reading a decimal number,
 * judging the path of a URL. Pure.
 */
#ifndef ESP_OTA_BASE_TEXT_H
#define ESP_OTA_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends formatted text to the string in text, an array of capacity bytes. The result is cut to
 * fit, and always a string. Returns whether it fitted. */
bool text_append(char *text, size_t capacity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The number of a macro as a string literal, for messages that are constants. */
#define NUMBER_TEXT(number) NUMBER_TEXT_OF_DIGITS(number)
#define NUMBER_TEXT_OF_DIGITS(digits) #digits

/* What comes before item i, from 0, in a list of count items such as "A, B and C": last, " and " or
 * " or ", before the last one. */
const char *text_separator(size_t i, size_t count, const char *last);

/* Reads the decimal digits that text starts with: no sign, no blank. Sets *end to the first byte
 * after the digits in any case, *number only on success. Returns false when there is no digit or
 * the number is above limit. */
bool parse_decimal(const char *text, uint64_t limit, uint64_t *number, const char **end);

/* Whether each character may stand in the path, query or fragment of a URL: printable ASCII other
 * than space, quote and backslash. The last two could not be quoted in a Digest either. */
bool text_is_url_path(const char *text);

#endif
