/*
 * mac.h: the hardware address of a board's network interface. Pure.
 */
#ifndef ESP_OTA_SERVE_MAC_H
#define ESP_OTA_SERVE_MAC_H

#include <stdbool.h>
#include <stdint.h>

struct mac {
    uint8_t bytes[6];
};

enum { MAC_TEXT_MAX = sizeof "24:0A:C4:00:00:01" };

/* Parses six pairs of hexadecimal digits with ':' or '-' between them. Returns false, and leaves
 * *mac alone, for anything else, and for an address that no single board can have: one of a group,
 * or all zero. */
bool mac_parse(struct mac *mac, const char *text);

/* Whether someone who writes this means a MAC: it has more colons than any other name of a board,
 * or nothing but the digits of a MAC, or as many characters between the dashes. */
bool mac_is_meant(const char *text);

bool mac_equal(const struct mac *a, const struct mac *b);

/* Writes the address in capitals with colons, as boards do. Returns target. */
char *mac_text(char target[MAC_TEXT_MAX], const struct mac *mac);

#endif
