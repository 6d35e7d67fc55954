/* base64.h: bytes as text (RFC 4648, with padding). Pure. */
#ifndef ESP_OTA_BASE_BASE64_H
#define ESP_OTA_BASE_BASE64_H

#include <stddef.h>

/* Room for the text of size bytes, with its NUL. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * (size_t)4 + 1)

void base64_encode(char *target, const void *bytes, size_t size);

#endif
