/*
 * hex.h: bytes as hexadecimal text, for test vectors.
 */
#ifndef HEX_H
#define HEX_H

#include <stddef.h>

/* Decodes pairs of digits up to another character. Returns how many bytes there are; the test fails
 * if they are more than capacity. */
size_t hex_decode(unsigned char *bytes, size_t capacity, const char *text);

#endif
