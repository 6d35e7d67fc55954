/*
 * target.h: the name or address of a board as given on the command line. Pure, except that the
 * interface of a %scope is looked up.
 */
#ifndef ESP_OTA_DISCOVERY_TARGET_H
#define ESP_OTA_DISCOVERY_TARGET_H

#include "base/address.h"
#include "esp-ota/error.h"

#include <stdint.h>

enum { TARGET_NAME_MAX = 256 };

enum target_kind {
    TARGET_ADDRESS,  /* numeric IPv4 or IPv6, perhaps with %scope */
    TARGET_LOCAL,    /* a host name under .local: multicast DNS */
    TARGET_HOST,     /* any other host name with a dot in it: the C library's resolver */
    TARGET_LABEL,    /* a bare label: an instance name or a host name */
    TARGET_INSTANCE, /* not a host name (spaces, other characters): an _arduino._tcp instance */
};

struct target {
    enum target_kind kind;
    char name[TARGET_NAME_MAX]; /* without brackets and port; never empty */
    struct address address;     /* TARGET_ADDRESS only, of one host; its port is 0 */
    uint16_t port;              /* 0: the text has none */
};

/* Parses HOST, HOST:PORT, ADDRESS, ADDRESS%SCOPE, [V6]:PORT or an instance name. Instance names may
 * contain spaces, dots and colons: a ":" introduces a port only if it is the only colon and a port
 * number follows. A trailing dot of a host name is dropped. Escapes of escape.h, such as \u00ad,
 * become the character again. Fails with OTA_E_USAGE if the text is empty or too long, has a bad
 * port, an unknown scope, control characters or invalid UTF-8.
 *
 * The name is harmless (escape_is_harmless()), but not printable, as boards choose any name: escape
 * it before it is shown. The C library's resolver takes no host and no label for an address:
 * getaddrinfo() with AI_NUMERICHOST fails. */
enum ota_error target_parse(struct target *target, const char *text, struct ota_failure *failure);

/* Whether both name the same board: the same port, and the same address or the same name, without
 * regard to the case of ASCII letters. */
bool target_equal(const struct target *a, const struct target *b);

/* Parses a decimal port from 1 to 65535, or from 0 with allow_zero. Rejects signs, spaces and
 * leading zeros. */
bool target_parse_port(uint16_t *port, const char *text, bool allow_zero);

#endif
