/* base64.h: bytes as text, and back (RFC 4648). Pure. */
#ifndef ESP_OTA_BASE_BASE64_H
#define ESP_OTA_BASE_BASE64_H

#include <stddef.h>

/* Room for the text of size bytes, with its NUL. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * (size_t)4 + 1)

/* Writes the text, with padding. */
void base64_encode(char *target, const void *bytes, size_t size);

/* Decodes the text up to its end; its padding does not matter. Returns the number of bytes; -1 if
 * it is not base64, has bits of another byte behind the last, or does not fit. */
long base64_decode(void *target, size_t capacity, const char *text);

#endif
