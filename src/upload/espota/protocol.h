/*
 * protocol.h: formats the messages of the host and parses the replies of a board in the ArduinoOTA
 * protocol. Pure. Every byte of the input is treated as hostile.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_PROTOCOL_H
#define ESP_OTA_UPLOAD_ESPOTA_PROTOCOL_H

#include "crypto/auth.h"
#include "esp-ota/command.h"

#include <stdint.h>

/* Host to board, UDP. Longest: "100 65535 <20 digits> <32 hex>\n" and "200 <64 hex> <64 hex>\n". */
enum { PROTOCOL_DATAGRAM_MAX = 160 };

/* Both write a terminated text and return its length without the terminator. port is the host's TCP
 * port; md5 is the digest of the bytes that will be sent. */
size_t protocol_format_invitation(char target[PROTOCOL_DATAGRAM_MAX], enum ota_command command,
                                  uint16_t port, size_t size, const char *md5);
size_t protocol_format_answer(char target[PROTOCOL_DATAGRAM_MAX], const struct auth_answer *answer);

/* Board to host, UDP. */
enum reply_type {
    REPLY_OK,          /* accepted: the board connects next. Some add the size: "OK 1024" */
    REPLY_CHALLENGE,   /* AUTH <32 or 64 hex digits> */
    REPLY_AUTH_FAILED, /* "Authentication Failed" */
    REPLY_ERROR,       /* "ERR: <text>" */
    REPLY_GARBAGE,     /* anything else, which is ignored */
};
enum { PROTOCOL_TEXT_MAX = 256 };
struct reply {
    enum reply_type type;
    enum auth_scheme scheme; /* REPLY_CHALLENGE: AUTH_MD5 or AUTH_SHA256, from its length */
    char nonce[DIGEST_SHA256_HEX + 1]; /* REPLY_CHALLENGE: as sent */
    char text[PROTOCOL_TEXT_MAX];      /* REPLY_ERROR, REPLY_GARBAGE: escaped, without line end */
};
/* Parses one datagram. Only trailing NUL, CR, LF and spaces are tolerated. */
void protocol_parse_reply(struct reply *reply, const void *data, size_t length);

/* Board to host, TCP: decimal numbers without separator, then "OK" or a text. The segments of the
 * stream do not influence the verdict. */
enum verdict {
    VERDICT_PENDING, /* only numbers so far, or a text that has not ended */
    VERDICT_OK,      /* "OK" after the numbers; the image may be incomplete nevertheless */
    VERDICT_ERROR,   /* a text: the board's reason */
    VERDICT_LOST,    /* only from backchannel_finish(): the stream ended without a verdict */
};
struct backchannel {
    enum {
        BACKCHANNEL_NUMBERS,
        BACKCHANNEL_O,
        BACKCHANNEL_OK,
        BACKCHANNEL_TEXT,
        BACKCHANNEL_END
    } state;
    size_t length;
    char text[PROTOCOL_TEXT_MAX]; /* raw bytes of the board's reason, not terminated */
};
void backchannel_init(struct backchannel *channel);
/* Handles the next bytes. Any verdict but VERDICT_PENDING is final. */
enum verdict backchannel_feed(struct backchannel *channel, const void *data, size_t length);
/* The stream has ended. A text without line end is still the board's reason, but a lone "O" is
 * not. */
enum verdict backchannel_finish(struct backchannel *channel);
/* Whether a text has begun. It is useless to send more data then. */
bool backchannel_has_text(const struct backchannel *channel);
/* The board's reason, escaped, without line end; target as for escape_text(). */
char *backchannel_reason(const struct backchannel *channel, char *target, size_t capacity);

#endif
