/* authority.h: the text of a Host header. Pure. */
#ifndef ESP_OTA_HTTP_AUTHORITY_H
#define ESP_OTA_HTTP_AUTHORITY_H

#include "base/address.h"

#include <stdint.h>

enum { HTTP_AUTHORITY_MAX = 320 };

/* Writes "10.0.0.7", "[fe80::1]:8080" or "host.example:8080", with the port of the address unless
 * it is the default port. name, of at most 256 bytes, replaces the numeric address; NULL: it does
 * not. Returns text. */
const char *http_authority(char text[HTTP_AUTHORITY_MAX], const struct address *address,
                           const char *name, uint16_t default_port);

#endif
