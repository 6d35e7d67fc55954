/*
 * target.h: the name or address of a board as given on the command line. Pure, except that the
 * interface of a %scope is looked up.
 */
#ifndef ESP_OTA_DISCOVERY_TARGET_H
#define ESP_OTA_DISCOVERY_TARGET_H

#include "base/address.h"
#include "discovery/service.h"
#include "esp-ota/error.h"

#include <stdint.h>

enum { TARGET_NAME_MAX = 256 };

struct upload_protocol;

/* A scheme that may stand before a board, as in "espota://kitchen.local". */
struct target_scheme {
    const char *name;                       /* in lower case */
    bool takes_user;                        /* USER@ before the board */
    bool takes_path;                        /* /PATH, with all that follows it, behind the board */
    const struct upload_protocol *protocol; /* what the scheme means to the caller */
    uint16_t port;                          /* its default port; 0: that of the protocol */
    const char *port_source;                /* that port in words; NULL without one */
};

struct target_schemes {
    const struct target_scheme *list;
    size_t count;
};

enum target_kind {
    TARGET_ADDRESS,  /* numeric IPv4 or IPv6, perhaps with %scope */
    TARGET_LOCAL,    /* a host name under .local: multicast DNS */
    TARGET_HOST,     /* any other host name with a dot in it: the C library's resolver */
    TARGET_LABEL,    /* a bare label: an instance name or a host name */
    TARGET_INSTANCE, /* not a host name (spaces, other characters): a service instance */
};

struct target {
    enum target_kind kind;
    char name[TARGET_NAME_MAX];         /* without scheme, brackets and port; never empty */
    struct address address;             /* TARGET_ADDRESS only, of one host; its port is 0 */
    enum service service;               /* in the full name of an instance; else SERVICE_ARDUINO */
    struct address announced;           /* of a board chosen from all; else AF_UNSPEC */
    uint16_t port;                      /* 0: the text has none */
    bool has_announced_port;            /* the port is the board's word, not the user's */
    const struct target_scheme *scheme; /* NULL: the text has none */
    char user[TARGET_NAME_MAX];         /* as in the text; "" if it has none */
    char path[TARGET_NAME_MAX]; /* likewise, from the slash on; "" for "/" and for "?" alone */
};

/* Parses HOST, HOST:PORT, ADDRESS, ADDRESS%SCOPE, [V6]:PORT or an instance name, each perhaps with
 * one of the schemes before it: SCHEME://[USER@]BOARD[/PATH]. Schemes have no case. An instance
 * name may stand in full, with any service of service.h, which does not decide where the instance
 * is looked for: "lamp._wled._tcp.local". Instance names may contain spaces, dots and colons: a ":"
 * introduces a port only if it is the only colon and a port number follows. A trailing dot of a
 * host name is dropped. Escapes of escape.h, such as \u00ad, become the character again, and
 * so do those of avahi-browse and dns-sd (\032). Fails with
 * OTA_E_USAGE if the text is empty or too long, has a bad port, an unknown scope, an unknown
 * scheme, control characters or invalid UTF-8; a URL that may have a password in it is not repeated
 * in the message.
 *
 * The name is harmless (escape_is_harmless()), but not printable, as boards choose any name: escape
 * it before it is shown. The C library's resolver takes no host and no label for an address:
 * getaddrinfo() with AI_NUMERICHOST fails. */
enum ota_error target_parse(struct target *target, const char *text,
                            const struct target_schemes *schemes, struct ota_failure *failure);

/* Writes the target's name so that no target of another kind has the same text, and target_parse()
 * takes it where it takes the full name: boards choose their instance's name, which may be
 * "10.0.0.7", "kitchen.local", "kitchen:3232" or "lab-*". Such an instance is written in full, with
 * its service, as "10.0.0.7._arduino._tcp.local". Not escaped. Returns text. */
enum { TARGET_FULL_MAX = TARGET_NAME_MAX + 24 };
const char *target_full_name(char text[TARGET_FULL_MAX], const struct target *target);

/* Whether its scheme demands a secure connection. */
bool target_is_https(const struct target *target);

/* Whether both have the same address or the same name, without regard to the case of ASCII letters.
 * Two boards may, with other ports or paths. */
bool target_names_equal(const struct target *a, const struct target *b);

/* Whether both name the same board: the same port and path, and the same address or the same name,
 * without regard to the case of ASCII letters. Scheme and user are not compared: they say how the
 * board is to be reached. */
bool target_equal(const struct target *a, const struct target *b);

/* Whether the target is the name of an instance that may be meant as several hosts, or as one with
 * a separator too many: "kitchen,lamp", "kitchen,". */
bool target_lists_hosts(const struct target *target);

/* Whether the target is an address, or a name that can stand in a URL and in a certificate: ASCII
 * letters, digits, "-", "_" and dots. URLs take a name that ends in a number for an address. */
bool target_suits_certificate(const struct target *target);

/* Whether text is the name of a serial port ("/dev/ttyUSB0", "COM3"), which is given in a board's
 * place out of habit. */
bool target_is_serial_port(const char *text);

/* Whether text must be meant as the name of a file ("~/fw", "build/firmware.bin", "fw.bin"), and so
 * is not looked for as a board. */
bool target_is_file_name(const char *text);

/* Parses a decimal port from 1 to 65535, or from 0 with allow_zero. Rejects signs, spaces and
 * leading zeros. */
bool target_parse_port(uint16_t *port, const char *text, bool allow_zero);

#endif
