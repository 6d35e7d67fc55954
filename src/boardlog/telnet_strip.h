/*
 * telnet_strip.h: removes telnet commands (RFC 854) from a stream of bytes, and NUL, which some
 * libraries send as a sign of life.
 */
#ifndef ESP_OTA_BOARDLOG_TELNET_STRIP_H
#define ESP_OTA_BOARDLOG_TELNET_STRIP_H

#include <stddef.h>

/* The longest subnegotiation, in bytes. This program agrees to no option, so boards have no reason
 * to send one, and unsolicited ones are short. Bytes beyond the bound are text again. */
enum { TELNET_SUBNEGOTIATION_MAX = 64 };

/* The position of the stream within a command. All zero: the beginning of a stream. */
struct telnet_strip {
    enum {
        TELNET_TEXT,
        TELNET_COMMAND, /* after IAC */
        TELNET_OPTION,  /* after WILL, WONT, DO or DONT */
        TELNET_SUBNEGOTIATION,
        TELNET_SUBNEGOTIATION_COMMAND, /* after an IAC in a subnegotiation */
    } state;
    size_t swallowed; /* bytes of the current subnegotiation */
};

/* Copies the text among the length bytes of source to target, without NUL. target must have room
 * for length + 1 bytes. Returns the number of bytes copied. A stream may be cut into calls
 * anywhere. IAC IAC stands for a byte 255. So does an IAC before a byte that is not a command,
 * since most boards send plain bytes. An IAC at the end of a connection is dropped. */
size_t telnet_strip(struct telnet_strip *telnet, unsigned char *target, const void *source,
                    size_t length);

#endif
