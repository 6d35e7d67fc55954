/*
 * hex.h: bytes as hexadecimal digits, and back. Pure.
 */
#ifndef ESP_OTA_BASE_HEX_H
#define ESP_OTA_BASE_HEX_H

#include <stddef.h>

/* What text may consist of; for strspn(). */
#define HEX_DIGITS "0123456789abcdefABCDEF"

/* The value of a digit; -1 for any other character. */
int hex_value(unsigned char character);

/* The byte that two digits stand for; -1 unless both are digits. */
int hex_byte(unsigned char high, unsigned char low);

/* Writes two lower-case digits for each byte, and NUL: text has room for 2 * size + 1 bytes. */
void hex_encode(char *text, const void *bytes, size_t size);

#endif
