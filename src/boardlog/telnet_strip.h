/*
 * telnet_strip.h: takes what telnet (RFC 854) sends beside the text out of a stream of bytes: its
 * commands, and NUL, which some libraries send for a sign of life.
 */
#ifndef ESP_OTA_BOARDLOG_TELNET_STRIP_H
#define ESP_OTA_BOARDLOG_TELNET_STRIP_H

#include <stddef.h>

/* As long as a subnegotiation may be. This program agrees to no option, so none is due, and those
 * that come unasked have a few bytes; beyond the bound it was no telnet, and the log goes on. */
enum { TELNET_SUBNEGOTIATION_MAX = 64 };

/* Where in a command the stream stands. All zero: at its beginning. */
struct telnet_strip {
    enum {
        TELNET_TEXT,
        TELNET_COMMAND, /* after IAC */
        TELNET_OPTION,  /* after WILL, WONT, DO or DONT */
        TELNET_SUBNEGOTIATION,
        TELNET_SUBNEGOTIATION_COMMAND, /* after an IAC in it */
    } state;
    size_t swallowed; /* of the subnegotiation */
};

/* Copies the text among the length bytes of source to target, which must have room for length + 1,
 * and returns how many bytes that is; none is NUL. It does not matter how a stream is cut into
 * calls. IAC IAC is a byte 255; so is an IAC before a byte that is no command, since most boards
 * send plain bytes. An IAC that ends the connection is dropped. */
size_t telnet_strip(struct telnet_strip *telnet, unsigned char *target, const void *source,
                    size_t length);

#endif
