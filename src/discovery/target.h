/*
 * target.h: what the user wants to update, as given on the command line. Pure: resolves nothing.
 */
#ifndef ESP_OTA_DISCOVERY_TARGET_H
#define ESP_OTA_DISCOVERY_TARGET_H

#include "base/address.h"
#include "esp-ota.h"

enum { TARGET_NAME_MAX = 256 };

enum target_kind {
    TARGET_ADDRESS,  /* numeric IPv4 or IPv6, perhaps with %scope */
    TARGET_LOCAL,    /* a host name under .local: multicast DNS */
    TARGET_HOST,     /* any other host name with a dot in it: the C library's resolver */
    TARGET_LABEL,    /* a bare label: an instance name or a host name, both are looked for */
    TARGET_INSTANCE, /* not a host name (spaces, other characters): an _arduino._tcp instance */
};

struct target {
    enum target_kind kind;
    char name[TARGET_NAME_MAX]; /* without brackets and port; never empty */
    struct address address;     /* TARGET_ADDRESS only, of one host; its port is 0 */
    uint16_t port;              /* 0 when the text named none */
};

/* Parses HOST, HOST:PORT, ADDRESS, ADDRESS%SCOPE, [V6]:PORT or an instance name (which may hold
 * spaces, dots and colons: only a last ":" with a port number behind it counts as a port, and only
 * when the rest holds no other colon). A trailing dot of a host name is dropped. What stands as
 * \u00ad or so, as escape.h shows it, is that character again. Fails with OTA_E_USAGE for an empty
 * or too long text, a bad port, a scope that does not exist, NUL or control characters, invalid
 * UTF-8.
 *
 * The name is harmless (escape_is_harmless()), not printable: boards call themselves what they
 * like, so whoever shows it escapes it. The C library's resolver, which gets hosts and labels,
 * takes none of those for an address: getaddrinfo() with AI_NUMERICHOST fails. */
enum ota_error target_parse(struct target *target, const char *text, struct ota_failure *failure);

/* Whether both texts name the same board: the same address, or the same name but for the case of
 * ASCII letters, and the same port. */
bool target_equal(const struct target *a, const struct target *b);

/* Parses a decimal port, 1 to 65535 (0 too with allow_zero); no sign, space, octal or hex. */
bool target_parse_port(uint16_t *port, const char *text, bool allow_zero);

#endif
