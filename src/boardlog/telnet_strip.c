/*
 * telnet_strip.c: tells telnet commands from text, one byte at a time. Commands are not answered:
 * this is not required of a client that agrees to no option. Boards that expect plain bytes would
 * treat the answer as input.
 */
#include "boardlog/telnet_strip.h"

/* Values from RFC 854, page 14. NUL does nothing (page 10). After IAC, the bytes from SE on are
 * commands. */
enum { NUL = 0, SE = 240, SB = 250, WILL = 251, DONT = 254, IAC = 255 };

/* Handles the byte after an IAC. Returns the number of bytes of text written to target. */
static size_t take_command(struct telnet_strip *telnet, unsigned char *target, unsigned char byte)
{
    telnet->state = TELNET_TEXT;
    telnet->swallowed = 0;
    if (byte == SB)
        telnet->state = TELNET_SUBNEGOTIATION;
    else if (byte >= WILL && byte <= DONT)
        telnet->state = TELNET_OPTION;

    if (byte >= SE && byte != IAC)
        return 0;

    target[0] = IAC;
    target[1] = byte;
    return byte == IAC || byte == NUL ? 1 : 2;
}

static size_t take_telnet_byte(struct telnet_strip *telnet, unsigned char *target,
                               unsigned char byte)
{
    switch (telnet->state) {
    case TELNET_COMMAND:
        return take_command(telnet, target, byte);

    case TELNET_OPTION:
        telnet->state = TELNET_TEXT;
        return 0;

    case TELNET_SUBNEGOTIATION:
        if (byte == IAC)
            telnet->state = TELNET_SUBNEGOTIATION_COMMAND;
        else if (++telnet->swallowed == TELNET_SUBNEGOTIATION_MAX)
            telnet->state = TELNET_TEXT;
        return 0;

    case TELNET_SUBNEGOTIATION_COMMAND:
        if (byte != IAC) /* SE ends the subnegotiation, and so does any other command */
            return take_command(telnet, target, byte);
        telnet->state =
            ++telnet->swallowed == TELNET_SUBNEGOTIATION_MAX ? TELNET_TEXT : TELNET_SUBNEGOTIATION;
        return 0;

    case TELNET_TEXT:
        break;
    }

    if (byte == IAC) {
        telnet->state = TELNET_COMMAND;
        return 0;
    }

    target[0] = byte;
    return byte == NUL ? 0 : 1;
}

size_t telnet_strip(struct telnet_strip *telnet, unsigned char *target, const void *source,
                    size_t length)
{
    const unsigned char *bytes = source;
    size_t used = 0;

    for (size_t i = 0; i < length; i++)
        used += take_telnet_byte(telnet, target + used, bytes[i]);
    return used;
}
